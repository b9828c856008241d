//! Networks of IP addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network, or with all of its bits one address; the bits behind its length are zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Network {
    /// Its first address.
    pub address: IpAddr,
    /// Bits that all of its addresses have in common: at most 32 of IPv4, 128 of IPv6.
    pub len: u8,
}

impl Network {
    /// The network of this length that an address lies in.
    pub fn of(address: IpAddr, len: u8) -> Self {
        let address = match address {
            IpAddr::V4(v4) => {
                let keep = u32::MAX.checked_shl(32_u32.saturating_sub(len.into())).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & keep))
            }
            IpAddr::V6(v6) => {
                let keep = u128::MAX.checked_shl(128_u32.saturating_sub(len.into())).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & keep))
            }
        };
        Self { address, len }
    }

    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && Self::of(address, self.len).address == self.address
    }

    /// Whether they have an address in common: one of two networks that do lies in the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (wide, narrow) = if self.len <= other.len { (self, other) } else { (other, self) };
        wide.contains(narrow.address)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        match self.len == whole {
            true => self.address.fmt(f),
            false => write!(f, "{}/{}", self.address, self.len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_addresses_and_no_others() {
        let net = |text: &str, len| Network::of(text.parse().expect("an address"), len);
        for (network, inside, outside) in [
            (net("192.0.2.77", 24), "192.0.2.255", "192.0.3.0"),
            (net("192.0.2.77", 32), "192.0.2.77", "192.0.2.76"),
            (net("192.0.2.77", 0), "255.0.0.1", "::1"),
            (net("2001:db8::1", 32), "2001:db8:ffff::", "2001:db9::"),
            (net("2001:db8::1", 128), "2001:db8::1", "2001:db8::"),
            (net("::1", 0), "::", "0.0.0.0"),
        ] {
            assert!(network.contains(inside.parse().expect("an address")), "{network} {inside}");
            assert!(!network.contains(outside.parse().expect("an address")), "{network} {outside}");
        }
        assert_eq!(
            (net("192.0.2.77", 24).to_string(), net("::1", 128).to_string()),
            ("192.0.2.0/24".into(), "::1".into())
        );
        assert!(net("10.0.0.0", 8).overlaps(&net("10.1.0.0", 16)) && net("10.1.0.0", 16).overlaps(&net("10.0.0.0", 8)));
        assert!(!net("10.0.0.0", 16).overlaps(&net("10.1.0.0", 16)) && !net("::", 0).overlaps(&net("0.0.0.0", 0)));
    }
}
