use std::future::pending;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::context::Context;

/// Brings what is committed into the ring, and wakes the streams that it concerns, until the server
/// drains or the engine's thread ends.
///
/// What follows a calm is told at once; what follows that is gathered for a window, so that a stream
/// is woken once a window at most, however much is committed. Streams that have been silent for long
/// are woken part by part, by one clock for all.
pub(super) async fn distribute(context: &Context) {
    let limits = &context.limits;
    let (audience, ring, tail) = (&context.audience, &context.ring, context.runtime.tail());
    let mut head = context.runtime.watch_head();
    head.mark_changed();
    let mut beats = interval(audience.period(limits.heartbeat));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut part = 0usize;
    let mut last: Option<Instant> = None;
    let mut due: Option<Instant> = None;
    loop {
        let window = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = context.drain.cancelled() => return,
            _ = beats.tick() => {
                audience.beat(part, limits.heartbeat);
                part = part.wrapping_add(1);
            }
            () = window => {
                due = None;
                last = Some(Instant::now());
                if let Some(stretch) = tail.take() {
                    audience.publish(stretch, ring);
                }
            }
            moved = head.changed(), if due.is_none() => {
                if moved.is_err() {
                    return;
                }
                head.mark_unchanged();
                let now = Instant::now();
                due = Some(last.map_or(now, |last| now.max(last + limits.watch_window)));
            }
        }
    }
}
