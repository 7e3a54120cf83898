//! A process without descriptors survives. Alone in its file: the limit is the whole process's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod harness;

use std::time::Duration;

use harness::{Server, body, get};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn running_out_of_descriptors_pauses_the_door_and_spins_nothing() {
    let mut server = Server::new();
    let before = getrlimit(Resource::Nofile);
    let mut clients: Vec<_> = (0..40).map(|_| server.connect()).collect();
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(open + 10),
            maximum: before.maximum,
        },
    )
    .unwrap();
    server.settle();
    assert!(server.log().contains("OutOfDescriptors"));
    let held = server.engine.counters().connections;
    assert!((5..20).contains(&held), "{held}");
    let rearms = server.clock.rearms.get();
    for _ in 0..50 {
        server.turn(Duration::ZERO);
    }
    assert!(server.clock.rearms.get() - rearms < 3, "no spin while it pauses");
    assert_eq!(
        body(&server.talk(&mut clients[0], get("/hello"))),
        "hello",
        "those inside are served"
    );
    clients.truncate(1);
    setrlimit(Resource::Nofile, before).unwrap();
    server.pass_time(Duration::from_millis(300));
    assert_eq!(server.engine.counters().connections, 1);
    assert_eq!(body(&server.get("/hello")), "hello", "and the door opens again");
}
