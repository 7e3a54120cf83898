//! Who the client is when proxies stand between: the right-most hop that is not trusted wins. Used for the scope and
//! the access log. Without trusted proxies the socket's own word stands and no header is read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use covet_engine::{Address, Peer};
use covet_http::Headers;

/// Addresses whose forwarded headers are believed.
#[derive(Default)]
pub(crate) struct Proxies {
    everybody: bool,
    unix: bool,
    networks: Vec<(IpAddr, u32)>,
}

/// Where a request comes from.
pub(crate) struct Origin {
    /// None on a unix socket.
    pub(crate) client: Option<(String, u16)>,
    pub(crate) https: Option<bool>,
}

impl Proxies {
    /// Read addresses, networks, `unix` and `*`; what is unreadable trusts nobody.
    pub(crate) fn new(entries: &[String]) -> Self {
        let mut proxies = Self::default();
        for entry in entries {
            match entry.as_str() {
                "*" => proxies.everybody = true,
                "unix" => proxies.unix = true,
                entry => proxies.networks.extend(network(entry)),
            }
        }
        proxies.unix |= proxies.everybody;
        proxies
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.everybody
            || self
                .networks
                .iter()
                .any(|(net, bits)| within(address, *net, *bits))
    }

    fn trusts_peer(&self, peer: &Peer) -> bool {
        match &peer.remote {
            Address::Tcp(socket) => self.trusts(socket.ip()),
            Address::Unix(_) | Address::Unknown => self.unix,
        }
    }

    /// The client of a request.
    pub(crate) fn origin(&self, peer: &Peer, headers: &Headers) -> Origin {
        let client = match &peer.remote {
            Address::Tcp(socket) => Some((socket.ip().to_canonical().to_string(), socket.port())),
            Address::Unix(_) | Address::Unknown => None,
        };
        let nobody = !self.everybody && !self.unix && self.networks.is_empty();
        if nobody || !self.trusts_peer(peer) {
            return Origin { client, https: None };
        }
        Origin {
            client: self.farthest(headers).or(client),
            https: scheme(headers),
        }
    }

    fn farthest(&self, headers: &Headers) -> Option<(String, u16)> {
        let fields: Vec<&[u8]> = headers.get_all(b"x-forwarded-for").collect();
        let mut hops = fields
            .iter()
            .flat_map(|field| field.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii);
        let mut farthest = None;
        let all: Vec<&[u8]> = hops.by_ref().filter(|hop| !hop.is_empty()).collect();
        for hop in all.into_iter().rev() {
            let (address, port) = address(std::str::from_utf8(hop).ok()?)?;
            farthest = Some((address.to_string(), port));
            if !self.trusts(address) {
                break;
            }
        }
        farthest
    }
}

fn scheme(headers: &Headers) -> Option<bool> {
    let last = headers
        .get_all(b"x-forwarded-proto")
        .last()?
        .rsplit(|byte| *byte == b',')
        .next()?;
    match last.trim_ascii() {
        b"https" | b"wss" => Some(true),
        b"http" | b"ws" => Some(false),
        _ => None,
    }
}

/// An address, in brackets or not, with or without a port.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address, 0));
    }
    if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
        return Some((socket.ip(), socket.port()));
    }
    let bare = text.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse::<Ipv6Addr>()
        .ok()
        .map(|address| (IpAddr::V6(address), 0))
}

fn network(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = entry
        .split_once('/')
        .map_or((entry, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
    (bits <= most).then_some((address, bits))
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let prefix =
        |left: u128, right: u128, width: u32| bits == 0 || (left ^ right) >> (width - bits.min(width)) == 0;
    match (address, network) {
        (IpAddr::V4(left), IpAddr::V4(right)) => {
            let number = |address: Ipv4Addr| u128::from(u32::from(address));
            prefix(number(left), number(right), 32)
        }
        (IpAddr::V6(left), IpAddr::V6(right)) => prefix(u128::from(left), u128::from(right), 128),
        _ => false,
    }
}
