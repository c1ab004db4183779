/// The kernel has two homes for iptables' rules, which do not know of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// That of the programs `iptables-legacy-…`.
    Legacy,
    /// nftables, through the programs `iptables-nft-…`.
    NfTables,
}

/// Chains that tell where a node's rules live, those first that tell it best: the kubelet's own, and
/// ours.
const SIGNS: [&str; 3] = ["KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY", "SELD-SERVICES"];

impl Variant {
    /// Both; of two that have the same sign, the first is chosen.
    pub const ALL: [Variant; 2] = [Variant::NfTables, Variant::Legacy];

    /// How programs and people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Variant::Legacy => "legacy",
            Variant::NfTables => "nft",
        }
    }

    /// Where a node's rules live, by what was saved of each variant; or else where the system has them
    /// go.
    pub fn choose(saved: &[(Variant, String)], system: Variant) -> Variant {
        for sign in SIGNS {
            let declared = format!("\n:{sign} ");
            for variant in Variant::ALL {
                let has =
                    |(of, text): &(Variant, String)| *of == variant && text.contains(&declared);
                if saved.iter().any(has) {
                    return variant;
                }
            }
        }
        system
    }
}

#[cfg(test)]
mod tests {
    use super::Variant::{Legacy, NfTables};
    use super::*;

    #[test]
    fn the_kubelets_chains_tell_then_ours_then_the_system() {
        let chain = |name: &str| format!("*mangle\n:{name} - [0:0]\nCOMMIT\n");
        let (hint, ours) = (chain("KUBE-IPTABLES-HINT"), chain("SELD-SERVICES"));
        let none = String::new();
        for (legacy, nft, system, chosen) in [
            (&none, &none, Legacy, Legacy),
            (&none, &none, NfTables, NfTables),
            (&hint, &none, NfTables, Legacy),
            (&hint, &ours, NfTables, Legacy),
            (&ours, &none, NfTables, Legacy),
            (&ours, &hint, Legacy, NfTables),
            (&hint, &hint, Legacy, NfTables),
        ] {
            let saved = [(Legacy, legacy.clone()), (NfTables, nft.clone())];
            assert_eq!(
                Variant::choose(&saved, system),
                chosen,
                "{saved:?} {system:?}"
            );
        }
    }
}
