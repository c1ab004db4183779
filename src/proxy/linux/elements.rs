//! Elements of sets as one transaction, without `nft` between.

use std::io;

use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage};
use netlink_packet_netfilter::nftables::{
    DataAttribute, ListAttribute, NfTablesMessage, SetElementAttribute, SetElementList,
    SetElementMessage, Verdict, VerdictAttribute,
};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
    NetfilterSubsystem,
};
use thiserror::Error;

use crate::model::IpFamily;

use super::super::nft::{Data, Edit, TABLE};
use super::Netfilter;

/// The kernel's number for a packet that is dropped.
const DROP: u32 = 0;

/// Why elements were not put in and taken out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ElementsError {
    /// Nothing reached the kernel.
    #[error("cannot give elements to the kernel")]
    NotSent(#[source] io::Error),
    /// The kernel refused. Nothing was changed.
    #[error("the kernel refused {message}")]
    Refused {
        /// What, and why.
        message: String,
        /// The line of the first element that it refused; none: it was not about one.
        line: Option<usize>,
    },
    /// Nobody knows whether they were.
    #[error("the kernel did not say whether it took elements")]
    InDoubt(#[source] io::Error),
}

impl Netfilter {
    /// Puts elements in and takes elements out, in their order and as one transaction. After one of which
    /// nobody knows how it ended, the next is not sent.
    ///
    /// # Errors
    /// When the kernel does not take them.
    pub fn write(&mut self, edits: &[Edit]) -> Result<(), ElementsError> {
        if edits.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.in_doubt) {
            let why = "it did not answer the last time";
            return Err(ElementsError::NotSent(io::Error::other(why)));
        }
        let done = self.attempt(edits);
        if let Err(ElementsError::NotSent(_) | ElementsError::InDoubt(_)) = done {
            self.in_doubt = matches!(done, Err(ElementsError::InDoubt(_)));
            self.close();
        }
        done
    }

    fn attempt(&mut self, edits: &[Edit]) -> Result<(), ElementsError> {
        // A beginning, the elements, and an end.
        let count = u32::try_from(edits.len().saturating_add(2));
        let count = count.map_err(|error| ElementsError::NotSent(io::Error::other(error)))?;
        let socket = self.socket().map_err(ElementsError::NotSent)?;
        let first = socket.number(count);
        socket
            .send(&batch(edits, first))
            .map_err(ElementsError::NotSent)?;
        // The kernel names every element that it refuses, in their order, and then answers the last one,
        // which asks for it; or it refuses the beginning, and so all of it.
        let last = count.saturating_sub(2);
        let mut refused = None;
        let answered = socket.errors(first, |at, error| {
            if let (Some(cause), None) = (error, &refused) {
                let edit = usize::try_from(at).unwrap_or(usize::MAX);
                let edit = edit.checked_sub(1).and_then(|at| edits.get(at));
                let message = match edit {
                    Some(edit) => format!("an element of {}: {cause}", edit.set.as_str()),
                    None => format!("elements: {cause}"),
                };
                refused = Some(ElementsError::Refused {
                    message,
                    line: edit.map(|edit| edit.line),
                });
            }
            at == last || at == 0
        });
        match (answered, refused) {
            (_, Some(refused)) => Err(refused),
            (Err(error), None) => Err(ElementsError::InDoubt(error)),
            (Ok(()), None) => Ok(()),
        }
    }
}

/// The messages, numbered from `first` on.
fn batch(edits: &[Edit], first: u32) -> Vec<u8> {
    let tables = u16::from(u8::from(NetfilterSubsystem::NfTables));
    let mark = |control: ControlMessage| {
        let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, tables);
        (header, control.into())
    };
    let elements = edits.iter().map(|edit| {
        let family = match edit.family {
            IpFamily::V4 => NetfilterProtoFamily::IPv4,
            IpFamily::V6 => NetfilterProtoFamily::IPv6,
        };
        (NetfilterHeader::new(family, 0, 0), element(edit).into())
    });
    let messages = std::iter::once(mark(ControlMessage::BatchBegin))
        .chain(elements)
        .chain(std::iter::once(mark(ControlMessage::BatchEnd)));
    let mut bytes = Vec::new();
    for (at, (header, message)) in messages.enumerate() {
        let number = first.wrapping_add(u32::try_from(at).unwrap_or(u32::MAX));
        let is_last = at == edits.len();
        append(header, message, number, is_last, &mut bytes);
    }
    bytes
}

fn append(
    header: NetfilterHeader,
    message: NetfilterMessageInner,
    number: u32,
    wants_answer: bool,
    into: &mut Vec<u8>,
) {
    let message = NetfilterMessage::new(header, message);
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), message.into());
    message.header.flags = NLM_F_REQUEST | if wants_answer { NLM_F_ACK } else { 0 };
    message.header.sequence_number = number;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    into.extend(bytes);
}

fn element(edit: &Edit) -> NfTablesMessage {
    let mut element = vec![SetElementAttribute::Key(DataAttribute::Value(
        edit.key.clone(),
    ))];
    element.extend(
        edit.after
            .as_ref()
            .and_then(data)
            .map(SetElementAttribute::Data),
    );
    let message = SetElementMessage {
        attributes: vec![
            SetElementList::Table(TABLE.to_owned()),
            SetElementList::Set(edit.set.as_str().to_owned()),
            SetElementList::Elements(vec![ListAttribute::Element(element)]),
        ],
    };
    match edit.after {
        Some(_) => NfTablesMessage::NewSetElement(message),
        None => NfTablesMessage::DeleteSetElement(message),
    }
}

fn data(data: &Data) -> Option<DataAttribute> {
    let verdict = |code, chain: Option<&String>| {
        let mut attributes = vec![VerdictAttribute::Code(code)];
        attributes.extend(chain.cloned().map(VerdictAttribute::Chain));
        DataAttribute::Verdict(attributes)
    };
    Some(match data {
        Data::Nothing => return None,
        Data::Target(bytes) => DataAttribute::Value(bytes.clone()),
        Data::Drop => verdict(Verdict::Other(DROP), None),
        Data::Goto(chain) => verdict(Verdict::Goto, Some(chain)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Protocol;
    use crate::proxy::nft::{Key, Shared};

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn after_one_in_doubt_the_next_is_for_nft() {
        let mut netfilter = Netfilter::default();
        netfilter.in_doubt = true;
        let edit = Edit {
            line: 1,
            family: IpFamily::V4,
            set: Shared::ClusterIps,
            key: vec![10, 96, 0, 1],
            after: None,
        };
        let declined = netfilter.write(&[edit]);
        assert!(matches!(declined, Err(ElementsError::NotSent(_))));
        assert!(!netfilter.in_doubt, "the one after that is tried");
    }

    /// What `nft --debug=mnl` shows of the same elements, but that it gives sets a number as well, and asks
    /// for no answer.
    #[test]
    #[cfg(target_endian = "little")]
    fn a_batch_is_what_nft_sends() {
        let edit = |family, set, key: &[u8], after| Edit {
            line: 1,
            family,
            set,
            key: key.to_vec(),
            after,
        };
        let service = [10, 96, 0, 1, 6, 0, 0, 0, 0, 80, 0, 0];
        let endpoint = [0x75, 0x31, 0, 0, 2, 0, 0, 0];
        let edits = [
            edit(IpFamily::V4, Shared::Service(Key::Ip), &service, None),
            edit(
                IpFamily::V4,
                Shared::Service(Key::Ip),
                &service,
                Some(Data::Goto("pick-tcp-3".to_owned())),
            ),
            edit(
                IpFamily::V4,
                Shared::NoEndpoint(Key::NodePort),
                &[0x84, 0, 0, 0, 0x75, 0x31, 0, 0],
                Some(Data::Drop),
            ),
            edit(
                IpFamily::V6,
                Shared::Endpoint(Key::NodePort, Protocol::Tcp),
                &endpoint,
                Some(Data::Target(vec![10, 244, 2, 9, 0x1f, 0x90, 0, 0])),
            ),
            edit(
                IpFamily::V4,
                Shared::ClusterIps,
                &[10, 96, 0, 1],
                Some(Data::Nothing),
            ),
        ];
        let table = "0e00010073656c6563746f7264000000";
        let service_ips = "10000200736572766963652d69707300";
        let wanted = [
            // The beginning.
            "1400000010000100090000000000000000 00000a".replace(' ', ""),
            // delete element ip selectord service-ips { 10.96.0.1 . tcp . 80 }
            format!(
                "500000000e0a01000a0000000000000002000000{table}{service_ips}\
                 1c000380 18000180 14000180 10000100 0a6000010600000000500000"
            ),
            // add element ip selectord service-ips { 10.96.0.1 . tcp . 80 : goto pick-tcp-3 }
            format!(
                "700000000c0a01000b0000000000000002000000{table}{service_ips}\
                 3c000380 38000180 14000180 10000100 0a6000010600000000500000 \
                 20000280 1c000280 08000100 fffffffc 0f000200 7069636b2d7463702d330000"
            ),
            // add element ip selectord no-endpoint-nodeports { sctp . 30001 : drop }
            format!(
                "680000000c0a01000c0000000000000002000000{table}\
                 1a000200 6e6f2d656e64706f696e742d6e6f6465706f727473000000 \
                 28000380 24000180 10000180 0c000100 8400000075310000 10000280 0c000280 08000100 00000000"
            ),
            // add element ip6 selectord endpoint-nodeports-tcp { 30001 . 2 : 10.244.2.9 . 8080 }, as it is
            // in the other family
            format!(
                "680000000c0a01000d000000000000000a000000{table}\
                 1b000200 656e64706f696e742d6e6f6465706f7274732d7463700000 \
                 28000380 24000180 10000180 0c000100 7531000002000000 10000280 0c000100 0af402091f900000"
            ),
            // add element ip selectord cluster-ips { 10.96.0.1 }
            format!(
                "480000000c0a05000e0000000000000002000000{table}\
                 10000200 636c75737465722d69707300 14000380 10000180 0c000180 08000100 0a600001"
            ),
            // The end.
            "14000000110001000f000000000000000000000a".to_owned(),
        ];
        let wanted = wanted.join("").replace(' ', "");
        assert_eq!(hex(&batch(&edits, 9)), wanted);
    }
}
