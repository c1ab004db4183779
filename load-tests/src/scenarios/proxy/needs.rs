use crate::report::Section;

use super::namespace::Namespace;
use super::way::Way;

/// The ways of keeping rules that can be measured here; what cannot is noted.
///
/// # Errors
/// None can, and why, as a report says it.
pub fn ways(section: &mut Section) -> Result<Vec<Way>, String> {
    let namespace = Namespace::new()
        .map_err(|error| format!("network namespaces take root and ip (iproute2): {error:#}"))?;
    let mut ways = Vec::new();
    for way in Way::ALL {
        match namespace.within(|| way.probe()) {
            Ok(version) => {
                section.note(format!("{}: {version}", way.name()));
                ways.push(way);
            }
            Err(error) => section.note(format!("{} was left out: {error:#}", way.name())),
        }
    }
    match ways.is_empty() {
        true => Err("rules can be written in no way".to_owned()),
        false => Ok(ways),
    }
}
