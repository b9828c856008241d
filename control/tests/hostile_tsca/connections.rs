//! Connections.

use super::*;

#[test]
fn silent_after_accept() {
    from_serial_1("silent", raw(|_stream| sleep(Duration::from_secs(3))), UNREACHABLE);
}

#[test]
fn closed_at_once() {
    from_serial_1("closed", raw(drop), UNREACHABLE);
}

#[test]
fn transient_accept_error() {
    let (publisher, tries) = (Publisher::new(), Arc::new(AtomicUsize::new(0)));
    let mut client = synced(&publisher);
    let (files, count) = (publisher.files.clone(), Arc::clone(&tries));
    let server = Hostile::start(https(move |name, out| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Err(io::Error::other("too many open files")),
        _ => hostile::file(&files, name, out),
    }));
    let mut mirror = server.mirror();
    for want in [3, 0] {
        mirror.begin(std::time::Instant::now() + LIMITS.whole);
        client.round(&mut [&mut mirror], NOW, 0);
        assert_eq!(client.failures(), want);
    }
    assert!(client.alarms().iter().next().is_none());
}

#[test]
fn noise_instead_of_tls() {
    from_serial_1("noise", raw(|mut stream| drop(stream.write_all(&[0xff; 4096]))), UNREACHABLE);
}

#[test]
fn plain_http_instead_of_tls() {
    let answer = |mut stream: std::net::TcpStream| drop(stream.write_all(head("Content-Length: 2\r\n").as_bytes()));
    from_serial_1("plain http", raw(answer), UNREACHABLE);
}

#[test]
fn a_handshake_that_drips() {
    let drip = |mut stream: std::net::TcpStream| {
        // The head of a TLS record of 4096 octets, and then one octet at a time.
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(&[22, 3, 3, 16, 0]);
        for _ in 0..60 {
            sleep(Duration::from_millis(50));
            if stream.write_all(&[2]).is_err() {
                break;
            }
        }
    };
    from_serial_1("slow handshake", raw(drip), UNREACHABLE);
}
