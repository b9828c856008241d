//! Networks of IP addresses: which is the narrowest that holds an address.

use std::collections::HashMap;
use std::net::IpAddr;

use sealgate_config::model::Network;

use super::fast::Fast;

/// A table by network. Built once by control, read by workers: a look-up for each length that occurs, longest first.
#[derive(Clone, Debug)]
pub struct Networks<T> {
    values: HashMap<(IpAddr, u8), T, Fast>,
    /// Lengths that occur, longest first: of IPv4, of IPv6.
    lengths: [Vec<u8>; 2],
}

impl<T> Default for Networks<T> {
    fn default() -> Self {
        Self { values: HashMap::default(), lengths: [Vec::new(), Vec::new()] }
    }
}

impl<T> Networks<T> {
    /// Puts a value at a network; the last one counts.
    pub fn insert(&mut self, network: &Network, value: T) {
        let network = Network::of(network.address, network.len);
        self.values.insert((network.address, network.len), value);
        let [v4, v6] = &mut self.lengths;
        let lengths = if network.address.is_ipv4() { v4 } else { v6 };
        if let Err(place) = lengths.binary_search_by(|len| network.len.cmp(len)) {
            lengths.insert(place, network.len);
        }
    }

    /// The value of the narrowest network that an address lies in.
    pub fn narrowest(&self, address: IpAddr) -> Option<&T> {
        let [v4, v6] = &self.lengths;
        let lengths = if address.is_ipv4() { v4 } else { v6 };
        lengths.iter().find_map(|len| {
            let network = Network::of(address, *len);
            self.values.get(&(network.address, network.len))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_network_counts() {
        let net = |text: &str, len| Network::of(text.parse().expect("an address"), len);
        let mut table = Networks::default();
        for (i, network) in
            [net("10.0.0.0", 8), net("10.1.2.3", 32), net("10.1.0.0", 16), net("::", 8), net("2001:db8::", 32)]
                .iter()
                .enumerate()
        {
            table.insert(network, i);
        }
        let at = |text: &str| table.narrowest(text.parse().expect("an address")).copied();
        assert_eq!((at("10.1.2.3"), at("10.1.2.4"), at("10.2.0.1"), at("11.0.0.1")), (Some(1), Some(2), Some(0), None));
        assert_eq!((at("2001:db8::7"), at("::7"), at("2001:db9::7")), (Some(4), Some(3), None));
    }
}
