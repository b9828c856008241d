//! Answers.

use super::*;

#[test]
fn silent_after_the_request() {
    let silent = https(|_, _| {
        sleep(Duration::from_secs(2));
        Ok(())
    });
    from_serial_1("no answer", silent, UNREACHABLE);
}

#[test]
fn a_header_that_drips() {
    let drip = https(|_, out| {
        for octet in head("Content-Length: 5\r\n").repeat(9).bytes() {
            out.write_all(&[octet])?;
            sleep(Duration::from_millis(20));
        }
        Ok(())
    });
    from_serial_1("slow header", drip, UNREACHABLE);
}

#[test]
fn a_body_that_drips() {
    let drip = https(|_, out| {
        out.write_all(head("Content-Length: 60000\r\n").as_bytes())?;
        loop {
            out.write_all(b" ")?;
            sleep(Duration::from_millis(50));
        }
    });
    from_serial_1("slow drip", drip, UNREACHABLE);
}

#[test]
fn a_body_that_stalls() {
    let stall = https(|_, out| {
        out.write_all(head("Content-Length: 60000\r\n").as_bytes())?;
        out.write_all(b"{")?;
        sleep(Duration::from_secs(2));
        Ok(())
    });
    let began = std::time::Instant::now();
    from_serial_1("stalled body", stall, UNREACHABLE);
    assert!(began.elapsed() > LIMITS.read, "it was waited for");
}

#[test]
fn a_snapshot_that_drips() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.restart(OTHER_SESSION);
    let size = publisher.files["snapshot-1.json"].len();
    let drip = files_but(&publisher, move |name, out| {
        name.starts_with("snapshot").then(|| {
            out.write_all(head(&format!("Content-Length: {size}\r\n")).as_bytes())?;
            loop {
                out.write_all(b" ")?;
                sleep(Duration::from_millis(50));
            }
        })
    });
    case("slow snapshot", &mut client, drip, NOW, UNREACHABLE);
}

#[test]
fn a_header_without_end() {
    let endless = https(|_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\nX: ")?;
        for_ever(out, &[b'a'; 4096])
    });
    from_serial_1("endless header", endless, UNREACHABLE);
}

#[test]
fn header_lines_without_end() {
    let endless = https(|_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\n")?;
        for_ever(out, b"X: y\r\n")
    });
    from_serial_1("endless header lines", endless, UNREACHABLE);
}

#[test]
fn a_body_without_end() {
    let endless = https(|_, out| {
        out.write_all(head("").as_bytes())?;
        for_ever(out, &[b' '; 16384])
    });
    from_serial_1("endless body", endless, UNREACHABLE);
}

#[test]
fn chunks_without_end() {
    let endless = https(|_, out| {
        out.write_all(head("Transfer-Encoding: chunked\r\n").as_bytes())?;
        for_ever(out, b"10\r\n                \r\n")
    });
    from_serial_1("endless chunks", endless, UNREACHABLE);
}

#[test]
fn a_chunk_of_a_huge_size() {
    let octets = head("Transfer-Encoding: chunked\r\n") + "ffffffffffffffffffff\r\n        ";
    from_serial_1("huge chunk", always(octets), UNREACHABLE);
}

#[test]
fn a_length_beyond_all_bounds() {
    from_serial_1("huge length", always(head("Content-Length: 99999999999999999\r\n") + "x"), UNREACHABLE);
}

#[test]
fn a_length_that_is_no_number() {
    from_serial_1("odd length", always(head("Content-Length: -1\r\n") + "x"), UNREACHABLE);
}

#[test]
fn closed_in_the_header() {
    from_serial_1("early close, header", always("HTTP/1.1 200 OK\r\nContent-Le"), UNREACHABLE);
}

#[test]
fn closed_in_the_body() {
    from_serial_1("early close, body", always(head("Content-Length: 500\r\n") + "{\"version\":1"), UNREACHABLE);
}

#[test]
fn closed_in_a_file_that_the_manifest_names() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.restart(OTHER_SESSION);
    let size = publisher.files["snapshot-1.json"].len();
    let cut = files_but(&publisher, move |name, out| {
        name.starts_with("snapshot").then(|| write!(out, "{}{{", head(&format!("Content-Length: {size}\r\n"))))
    });
    case("early close, snapshot", &mut client, cut, NOW, UNREACHABLE);
}

#[test]
fn redirects_without_end() {
    let on = https(|name, out| {
        write!(out, "HTTP/1.1 302 Found\r\nLocation: /{name}x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    from_serial_1("endless redirect", on, UNREACHABLE);
}

#[test]
fn a_redirect_to_plain_http_or_elsewhere() {
    for to in ["http://localhost/manifest.json", "https://other.example/manifest.json", "file:///etc/passwd"] {
        let away = format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        from_serial_1("redirect elsewhere", always(away), UNREACHABLE);
    }
}

#[test]
fn a_gzip_bomb() {
    // What a kilobyte of gzip may become is not found out.
    let bomb = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xff; 1000]].concat();
    let labelled = [head("Content-Encoding: gzip\r\nContent-Length: 1010\r\n").as_bytes(), &bomb].concat();
    from_serial_1("gzip bomb", always(labelled), UNREACHABLE);
    let bare = [head("Content-Length: 1010\r\n").as_bytes(), &bomb].concat();
    from_serial_1("gzip bomb without its label", always(bare), SIGNATURE);
}

#[test]
fn not_modified_that_nobody_asked_for() {
    from_serial_1("unasked 304", always("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"), UNREACHABLE);
}

#[test]
fn a_status_that_is_none() {
    for octets in
        ["HTTP/1.1 999999 X\r\n\r\n", "HTTP/9 200\r\n\r\n", "\0\0\0\0\r\n\r\n", "{}", "HTTP/1.1 206 Partial\r\n\r\n"]
    {
        from_serial_1("odd status", always(octets), UNREACHABLE);
    }
}

#[test]
fn a_header_that_is_not_text() {
    let octets =
        [b"HTTP/1.1 200 OK\r\nETag: \xff\xfe\x01\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}".as_slice()];
    from_serial_1("header not text", always(octets.concat()), UNREACHABLE);
}
