use std::net::IpAddr;

use smol_str::SmolStr;

use crate::model::{is_cidr, parse_ip};

use super::Field;

impl Field<'_> {
    /// An IP address, if there; text that is none is refused.
    pub fn ip(&self) -> Option<IpAddr> {
        let text = self.text();
        if text.is_empty() {
            return None;
        }
        parse_ip(&text)
            .map_err(|error| self.invalid(error.to_string()))
            .ok()
    }

    /// A list of IP addresses; an empty one is refused.
    pub fn ips(&self) -> Vec<IpAddr> {
        self.items().filter_map(|item| item.required_ip()).collect()
    }

    /// An IP address where there must be one.
    pub fn required_ip(&self) -> Option<IpAddr> {
        self.required_text();
        self.ip()
    }

    /// An address range as written, without the blanks that Kubernetes allows around it.
    pub fn cidr(&self) -> Option<SmolStr> {
        let text = self.required_text();
        let text = text.trim();
        let is_range = is_cidr(text);
        if !is_range && !text.is_empty() {
            self.invalid(format!(
                "{text:?} is not an address range such as 10.9.8.0/24 or 2001:db8::/64"
            ));
        }
        is_range.then(|| SmolStr::new(text))
    }
}
