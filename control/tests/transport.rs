//! From the lab authority over the wire into a client: publication, https with conditional GET, files, deltas, revocation.

use sealgate_control::authority::serve::{self, Server};
use sealgate_control::authority::{Authority, DIRECTORY, Publication, Reason, Request, Setup};
use sealgate_control::tsca::fetch::{Base, Limits, Mirror, roots};
use sealgate_control::tsca::source::{FetchError, Source};
use sealgate_control::tsca::sync::{Client, Local, Settings};
use sealgate_crypto::pki::{Anchor, CertState, Identifiers, Kind, objects_from_file};
use sealgate_crypto::verify::sha256;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

const NOW: i64 = 1_795_000_000;

struct Lab {
    dir: PathBuf,
    server: Server,
    base: Base,
    roots: Vec<rustls::pki_types::CertificateDer<'static>>,
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW + seconds).expect("a second of this century")
}

impl Lab {
    /// A server of an authority with two operators.
    fn new(test: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("sealgate-transport-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let mut authority = Authority::init(&dir, &Setup::default(), at(0)).expect("an authority");
        for (name, gt) in [("a", "99901"), ("b", "99902")] {
            let identifiers = Identifiers { gt_prefixes: vec![(1, gt.into())], ..Identifiers::default() };
            authority.issue(&Request::new(name, identifiers), at(0)).expect("issued");
        }
        authority.publish_repository(Publication::default(), at(0)).expect("published");
        let (tls, cert) = serve::identity(&dir, &["localhost".to_owned()]).expect("an identity");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let server = Server::start(listen, &dir.join(DIRECTORY), tls).expect("a server");
        let base = Base::Https(format!("https://localhost:{}/", server.address().port()));
        Self { roots: roots(&[cert]).expect("roots"), dir, server, base }
    }

    fn mirror(&self) -> Mirror {
        let mut mirror = Mirror::new(self.base.clone(), &self.roots, Limits::default());
        mirror.begin(Instant::now() + Duration::from_secs(20));
        mirror
    }

    fn client(&self) -> Client {
        let root = objects_from_file(&self.dir.join("anchors/root.pem"), Kind::Certificate).expect("root").remove(0);
        let local = Local { anchors: vec![Anchor { der: root.der, limit: None }], ..Local::default() };
        Client::new(Settings::default(), local, None, NOW)
    }

    fn authority(&self) -> Authority {
        Authority::open(&self.dir).expect("an authority")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn alarms(client: &Client) -> Vec<&'static str> {
    client.alarms().iter().map(|(alarm, _)| alarm.name()).collect()
}

fn states(client: &Client, now: i64) -> Vec<(String, CertState)> {
    let mut all: Vec<_> =
        client.trust().signers.iter().map(|one| (one.certificate.name.clone(), one.state(now))).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[test]
fn what_is_issued_and_revoked_reaches_a_client_by_deltas() {
    let lab = Lab::new("deltas");
    let (mut client, mut mirror) = (lab.client(), lab.mirror());
    let serial = |client: &Client| client.held().map(|held| held.manifest.serial);
    client.round(&mut [&mut mirror], NOW, 0);
    assert_eq!((serial(&client), alarms(&client)), (Some(1), vec![]));
    let good = |name: &str| (name.to_owned(), CertState::Good);
    assert_eq!(states(&client, NOW), [good("a"), good("b")]);
    let mut authority = lab.authority();
    authority.revoke("b", Reason::KeyCompromise, at(60)).expect("revoked");
    let identifiers = Identifiers { gt_prefixes: vec![(1, "99903".into())], ..Identifiers::default() };
    authority.issue(&Request::new("c", identifiers), at(60)).expect("issued");
    let made = authority.publish_repository(Publication::default(), at(60)).expect("published");
    assert_eq!((made.serial, made.deltas, made.changed, made.withdrawn), (2, 1, 3, 0), "c and two lists");
    // Without the snapshot there is but one way.
    std::fs::remove_file(lab.dir.join(DIRECTORY).join("snapshot-2.json")).expect("removed");
    client.round(&mut [&mut mirror], NOW + 60, 0);
    assert_eq!((serial(&client), alarms(&client)), (Some(2), vec![]));
    let revoked = ("b".to_owned(), CertState::Revoked);
    assert_eq!(states(&client, NOW + 60), [good("a"), revoked, good("c")]);
    // A publication that does not find the one before begins another session.
    let made = authority.publish_repository(Publication::default(), at(120)).expect("published");
    assert_eq!((made.serial, made.deltas), (1, 0));
    client.round(&mut [&mut mirror], NOW + 120, 0);
    assert_eq!((serial(&client), alarms(&client)), (Some(1), vec!["repo_session"]));
}

#[test]
fn the_last_deltas_are_kept_and_a_client_from_before_takes_the_snapshot() {
    let lab = Lab::new("kept");
    let (mut client, mut mirror) = (lab.client(), lab.mirror());
    client.round(&mut [&mut mirror], NOW, 0);
    let how = Publication { deltas: 2, ..Publication::default() };
    let mut made = None;
    for n in 1..=4 {
        made = Some(lab.authority().publish_repository(how, at(n)).expect("published"));
    }
    assert_eq!(made.map(|made| (made.serial, made.deltas)), Some((5, 2)));
    let mut files: Vec<_> = std::fs::read_dir(lab.dir.join(DIRECTORY))
        .expect("a directory")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let want = "delta-4.json delta-5.json manifest.json manifest.sig signer.pem snapshot-4.json snapshot-5.json";
    assert_eq!(files.join(" "), want);
    client.round(&mut [&mut mirror], NOW + 5, 0);
    assert_eq!((client.held().map(|held| held.manifest.serial), alarms(&client)), (Some(5), vec!["repo_delta"]));
}

#[test]
fn https_answers_not_modified_only_for_what_is_held() {
    let lab = Lab::new("conditional");
    let mut mirror = lab.mirror();
    let manifest = mirror.manifest(None).expect("an answer").expect("octets");
    let digest = sha256(&manifest);
    assert_eq!(mirror.manifest(Some(&digest)), Ok(None));
    assert_eq!(mirror.manifest(Some(&[0; 32])), Ok(Some(manifest.clone())), "another is in force");
    assert_eq!(mirror.manifest(None), Ok(Some(manifest.clone())));
    lab.authority().publish_repository(Publication::default(), at(9)).expect("published");
    assert!(mirror.manifest(Some(&digest)).expect("an answer").is_some_and(|octets| octets != manifest));
    assert!(matches!(mirror.get("delta-9.json", 10), Err(FetchError::Missing(_))));
    assert!(matches!(mirror.get("manifest.json", 10), Err(FetchError::TooLong(_))));
    mirror.begin(Instant::now());
    assert!(matches!(mirror.get("manifest.json", 9999), Err(FetchError::Transport(why)) if why.contains("no time")));
}

#[test]
fn a_server_that_nobody_vouches_for_is_not_believed() {
    let (lab, other) = (Lab::new("trusted"), Lab::new("stranger"));
    let mut mirror = Mirror::new(lab.base.clone(), &other.roots, Limits::default());
    mirror.begin(Instant::now() + Duration::from_secs(20));
    let fault = mirror.manifest(None).expect_err("a stranger");
    assert!(matches!(&fault, FetchError::Transport(why) if why.contains("certificate")), "{fault}");
    let address = Base::Https(format!("https://127.0.0.1:{}/", lab.server.address().port()));
    let mut mirror = Mirror::new(address, &lab.roots, Limits::default());
    mirror.begin(Instant::now() + Duration::from_secs(20));
    assert!(mirror.manifest(None).is_err(), "its certificate has another name");
}

#[test]
fn a_directory_is_a_mirror_too() {
    let lab = Lab::new("directory");
    let dir = lab.dir.join(DIRECTORY);
    let mut mirror = Mirror::new(Base::Directory(dir.clone()), &[], Limits::default());
    let mut client = lab.client();
    client.round(&mut [&mut mirror], NOW, 0);
    assert_eq!((client.held().map(|held| held.manifest.serial), alarms(&client)), (Some(1), vec![]));
    client.round(&mut [&mut mirror], NOW, 0);
    assert_eq!(alarms(&client), [""; 0]);
    assert!(matches!(mirror.get("manifest.json", 10), Err(FetchError::TooLong(_))));
    assert!(matches!(mirror.get("delta-9.json", 10), Err(FetchError::Missing(_))));
    std::os::unix::fs::symlink(lab.dir.join("authority.db"), dir.join("link.json")).expect("a link");
    std::fs::create_dir(dir.join("dir.json")).expect("a directory");
    for name in ["link.json", "dir.json"] {
        assert!(matches!(mirror.get(name, 9999), Err(FetchError::Transport(_))), "{name}");
    }
    std::fs::remove_file(dir.join("manifest.json")).expect("removed");
    assert!(matches!(mirror.manifest(None), Err(FetchError::Transport(_))));
}

#[test]
fn a_signer_that_was_revoked_or_is_too_old_is_replaced() {
    let lab = Lab::new("signer");
    let signers = |authority: &Authority| {
        let all = authority.state().issued.iter().filter(|one| one.name.starts_with("repository-"));
        all.map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    let mut authority = lab.authority();
    authority.publish_repository(Publication::default(), at(1)).expect("published");
    let first = signers(&authority);
    assert_eq!(first.len(), 1, "one signer serves many publications");
    authority.revoke(&first[0], Reason::Superseded, at(2)).expect("revoked");
    let (mut client, mut mirror) = (lab.client(), lab.mirror());
    client.round(&mut [&mut mirror], NOW + 2, 0);
    assert_eq!(client.held().map(|held| held.manifest.serial), Some(2), "the list is not published yet");
    authority.publish_repository(Publication::default(), at(3)).expect("published");
    assert_eq!(signers(&authority).len(), 2);
    client.round(&mut [&mut mirror], NOW + 3, 0);
    assert_eq!((client.held().map(|held| held.manifest.serial), alarms(&client)), (Some(3), vec![]));
    authority.publish_repository(Publication::default(), at(390 * 86_400)).expect("published");
    assert_eq!(signers(&authority).len(), 3);
    let refused = authority.issue(&Request::new("repository-x", Identifiers::everything()), at(4));
    assert!(refused.is_err(), "the names of signers are theirs");
}
