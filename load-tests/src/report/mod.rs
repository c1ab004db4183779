//! What a run says: rows beside their targets and yardsticks, curves, and notes.

mod curve;
pub mod markdown;
mod model;
mod row;
mod svg;
pub mod terminal;
mod ticks;
mod unit;

pub use curve::{Axis, Curve};
pub use model::{Report, Section};
pub use row::Row;
pub use unit::Unit;
