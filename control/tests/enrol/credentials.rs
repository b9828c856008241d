//! With what somebody asks: other operators' certificates, strangers', withdrawn, ended and revoked ones.

use super::*;

#[test]
fn who_asks_with_the_wrong_credential_is_refused() {
    let lab = Lab::new("credentials");
    let home = lab.enrolled("home", gt("99901"));
    let other = lab.enrolled("other", gt("99902"));
    // Another operator's certificate is good for that operator's numbers.
    let key = other.places.key();
    let file = lab.dir.join("other-as-home.pem");
    let pem =
        fs::read_to_string(&key).expect("a key") + &fs::read_to_string(other.places.certificate()).expect("there");
    fs::write(&file, &pem).expect("written");
    let thief = Wish { credential: Credential::Invitation(file), ..home.clone() };
    assert_eq!(refused(&thief), (403, "GT prefix 99901 is not in the numbering records of other".to_owned()));
    assert_eq!(lab.last().1.as_deref(), Some("other"));
    // Nor does a certificate do without its key: the handshake proves it.
    let file = lab.dir.join("stolen.pem");
    let pem = fs::read_to_string(&key).expect("a key") + &fs::read_to_string(home.places.certificate()).expect("there");
    fs::write(&file, &pem).expect("written");
    let lines = lab.log().len();
    let thief = Wish { credential: Credential::Invitation(file), ..home.clone() };
    let fault = step(&thief, unix()).expect_err("no handshake");
    assert!(matches!(fault, EnrolError::Unreachable { .. }), "{fault}");
    assert_eq!(lab.log().len(), lines, "nothing came so far as to be written down");
    // A certificate that the authority does not know.
    let made = rcgen::generate_simple_self_signed(["home".to_owned()]).expect("made");
    let file = lab.dir.join("stranger.pem");
    fs::write(&file, made.signing_key.serialize_pem() + &made.cert.pem()).expect("written");
    let stranger = Wish { credential: Credential::Invitation(file), ..home.clone() };
    assert_eq!(refused(&stranger), (403, "the client certificate is none of this authority's".to_owned()));
    let last = lab.log().pop().expect("a line");
    assert_eq!((last.what.name(), last.operator, last.who.as_str()), ("refuse", None, "a stranger at 127.0.0.1"));
    // None at all.
    let root = ureq::tls::RootCerts::Specific(std::sync::Arc::new(
        home.roots.iter().map(|one| ureq::tls::Certificate::from_der(one).to_owned()).collect(),
    ));
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ureq::tls::TlsConfig::builder().root_certs(root).unversioned_rustls_crypto_provider(provider).build();
    let agent = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).build().new_agent();
    let desk = format!("{}enrol", home.url);
    let post =
        |media: &str| agent.post(&desk).content_type(media).send(&[0u8; 3][..]).expect("an answer").status().as_u16();
    assert_eq!((post("application/pkcs10"), post("text/plain")), (401, 415));
    assert_eq!(lab.last().2, "no client certificate was shown");
    let get = agent.get(&desk).call().expect("an answer").status().as_u16();
    let missing = agent.get(format!("{}manifest.json", home.url)).call().expect("an answer").status().as_u16();
    assert_eq!((get, missing), (405, 404), "beside the repository");

    // Withdrawn, over, revoked, out of time.
    let old = lab.dir.join("old.pem");
    fs::copy(lab.invite("home"), &old).expect("copied");
    let new = lab.invite("home");
    let with = |file: &Path| Wish { credential: Credential::Invitation(file.to_owned()), ..home.clone() };
    assert_eq!(refused(&with(&old)), (403, "the invitation of home was withdrawn".to_owned()));
    let octets = fs::read(&new).expect("read");
    let invitation =
        sealgate_crypto::pki::objects_from_octets("x", &octets, Kind::Certificate).expect("there").remove(0);
    let mut authority = lab.authority();
    let week = now() + Duration::days(8);
    let fault = authority.asker(Some(&invitation.der), week).expect_err("a week later");
    assert!(matches!(fault, AuthorityError::Enrol(Refusal::InvitationOver(_))), "{fault}");
    let current = home.places.current().expect("read").expect("there");
    let fault = authority.asker(Some(&current.der), now() + Duration::days(399)).expect_err("a year later");
    assert!(matches!(fault, AuthorityError::Enrol(Refusal::OutOfTime(_))), "{fault}");
    authority.revoke("home", Reason::KeyCompromise, now()).expect("revoked");
    drop(authority);
    assert_eq!(refused(&home), (403, "certificate home is revoked".to_owned()));
    let reasons: Vec<_> = lab.log().into_iter().rev().take(5).filter_map(|one| one.reason).collect();
    assert_eq!(
        reasons,
        [
            "certificate home is revoked",
            "key-compromise",
            "certificate home is not valid now",
            "the invitation of home is over",
            "the invitation of home was withdrawn",
        ]
    );
    // Ours says so itself before it asks.
    let late = current.not_after + 1;
    assert!(matches!(step(&home, late), Err(EnrolError::NoCredential)));
}
