use std::error::Error;

use crate::model::IpFamily;

use super::iptables::Iptables;
use super::linux::{IptablesPrograms, Nft, NftError};
use super::{Mode, Nftables};

/// Takes away what a proxy of another mode has left on this node: nobody keeps it true any more, and it
/// would decide none the less. Answers which modes those were.
///
/// # Errors
/// When a program refuses. One that is not there has left nothing.
pub(super) fn remove_others(mode: Mode) -> Result<Vec<Mode>, Box<dyn Error + Send + Sync>> {
    match mode {
        Mode::Nftables => {
            let found = Iptables::cleanup(&IptablesPrograms::default())?;
            Ok(if found > 0 {
                vec![Mode::Iptables]
            } else {
                Vec::new()
            })
        }
        Mode::Iptables => {
            let nft = Nft::default();
            for family in [IpFamily::V4, IpFamily::V6] {
                match nft.list(family) {
                    Ok(Some(_)) => {
                        Nftables::cleanup(&nft)?;
                        return Ok(vec![Mode::Nftables]);
                    }
                    Ok(None) | Err(NftError::Run { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(Vec::new())
        }
    }
}
