//! What a connection costs while nothing happens. Alone in its file: it counts the whole process's memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

use harness::{Server, get};

/// Bytes of this process in memory. The clients of this test are bare descriptors.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn a_thousand_idle_connections_hold_less_than_a_kilobyte_each() {
    let mut server = Server::new();
    let mut clients = Vec::with_capacity(1_000);
    let mut add = |server: &mut Server, count: usize| {
        let first = clients.len();
        for _ in 0..count {
            clients.push(server.connect());
        }
        for client in &mut clients[first..] {
            client.send(get("/hello"));
        }
        server.settle();
        assert!(
            clients[first..]
                .iter_mut()
                .all(|client| !client.receive().is_empty())
        );
    };
    add(&mut server, 100);
    let before = resident();
    add(&mut server, 900);
    let each = (resident().saturating_sub(before)) / 900;
    assert_eq!(server.engine.counters().connections, 1_000);
    assert!(each < 1_024, "{each} bytes");
}
