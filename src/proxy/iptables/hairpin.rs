//! Who is sent to itself has to be masqueraded, or it would answer itself past this node. That source
//! and destination are the same is one rule for all endpoints, if the kernel can compare them; if not,
//! it is a rule in a chain of each endpoint's own.

use crate::model::IpFamily;

use super::super::linux::{IptablesError, IptablesTool, conntrack_is_liberal};
use super::Script;

/// What a kernel does that the layout depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// It lets TCP packets pass that fit no connection: dropping them would do harm.
    pub is_liberal: bool,
    /// It has the match `bpf`, which can compare a packet's source with its destination.
    pub compares: bool,
}

impl Kernel {
    /// As far as can be told without its tables: nearly all have the match.
    pub fn without_tables() -> Kernel {
        Kernel {
            is_liberal: conntrack_is_liberal(),
            compares: true,
        }
    }
}

/// Classic BPF: loads a word of the source, and one of the destination, and ends with no match where they
/// differ. As `iptables-save` prints it.
const SAME_V4: &str = "6,32 0 0 12,7 0 0 0,32 0 0 16,29 0 1 0,6 0 0 65535,6 0 0 0";
const SAME_V6: &str = "18,32 0 0 8,7 0 0 0,32 0 0 24,29 0 13 0,32 0 0 12,7 0 0 0,32 0 0 28,29 0 9 0,\
                       32 0 0 16,7 0 0 0,32 0 0 32,29 0 5 0,32 0 0 20,7 0 0 0,32 0 0 36,29 0 1 0,\
                       6 0 0 65535,6 0 0 0";

/// A rule for what was sent on, to whom it came from.
pub(super) fn of_all(family: IpFamily, target: &str) -> String {
    let same = match family {
        IpFamily::V4 => SAME_V4,
        IpFamily::V6 => SAME_V6,
    };
    format!(
        "-m conntrack --ctstate DNAT -m comment --comment \"kubernetes endpoints that reach themselves\" \
         -m bpf --bytecode \"{same}\" -j {target}"
    )
}

/// Whether the kernel and the program have the match. Rules that were saved tell; where they do not, a rule
/// is put into a chain that nothing leads to, and taken out.
///
/// # Errors
/// When it cannot be tried now.
pub(super) fn compares(tool: &IptablesTool, saved: &str) -> Result<bool, IptablesError> {
    const TARGET: &str = "RETURN";
    let rule = of_all(tool.family, TARGET);
    if saved.contains(rule.trim_end_matches(TARGET)) {
        return Ok(true);
    }
    let refuses = |rule: &str| match tool.restore(Script::trial(rule).text()) {
        Ok(()) => Ok(false),
        Err(IptablesError::Refused { .. } | IptablesError::NoTable { .. }) => Ok(true),
        Err(error) => Err(error),
    };
    // Whoever refuses any rule does not tell: what is wrong, a write will say. Nor does who refuses once.
    Ok(!refuses(&rule)? || refuses(&format!("-j {TARGET}"))? || !refuses(&rule)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a program that is spelt like this lets a packet match.
    fn run(program: &str, packet: &[u8]) -> bool {
        let (count, rest) = program.split_once(',').unwrap();
        let steps: Vec<Vec<u32>> = rest
            .split(',')
            .map(|step| step.split(' ').map(|n| n.parse().unwrap()).collect())
            .collect();
        assert_eq!(count, steps.len().to_string());
        let (mut a, mut x, mut at) = (0, 0, 0);
        loop {
            let [code, yes, no, k] = steps[at][..] else {
                panic!("{:?}", steps[at])
            };
            at += 1;
            match code {
                32 => {
                    let at = k as usize;
                    a = u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
                }
                7 => x = a,
                29 => at += if a == x { yes } else { no } as usize,
                6 => return k != 0,
                _ => panic!("{code}"),
            }
        }
    }

    #[test]
    fn source_and_destination_are_compared_bit_by_bit() {
        for (program, length, source, size) in [(SAME_V4, 20, 12, 4), (SAME_V6, 40, 8, 16)] {
            let mut packet: Vec<u8> = (1..=length).collect();
            packet.copy_within(source..source + size, source + size);
            assert!(run(program, &packet));
            for at in 0..packet.len() {
                for bit in 0..8 {
                    packet[at] ^= 1 << bit;
                    let is_address = (source..source + 2 * size).contains(&at);
                    assert_eq!(run(program, &packet), !is_address, "{program}: {at}, {bit}");
                    packet[at] ^= 1 << bit;
                }
            }
        }
    }
}
