//! Keys on a PKCS#11 token: SoftHSM2, the Debian package softhsm2. Without it these tests fail.
//!
//! A module reads its settings and its tokens once in a process, so each test runs in a process and with a token of its own.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use sealgate_crypto::alg::Alg;
use sealgate_crypto::secret::SecretError;
use sealgate_crypto::sign::{MAX_OWN_SIGNATURE, SignError, SigningKey};
use sealgate_crypto::token::{TokenAddress, TokenError};
use sealgate_crypto::verify::KeyError;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "27182818";
const LABEL: &str = "sealgate";

/// Object identifiers of curves, as CKA_EC_PARAMS has them.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// A directory with one fresh token, and a session of its owner.
struct World {
    dir: PathBuf,
    module: Pkcs11,
    slot: Slot,
    owner: Session,
}

impl World {
    fn new(dir: PathBuf) -> Self {
        let module = Pkcs11::new(MODULE).expect("libsofthsm2.so");
        module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
        let slot = module.get_slots_with_token().unwrap()[0];
        let officer = AuthPin::new("31415926".into());
        module.init_token(slot, &officer, LABEL).unwrap();
        // SoftHSM moves a token to another slot once it has a name.
        let slot = module.get_slots_with_initialized_token().unwrap()[0];
        let owner = module.open_rw_session(slot).unwrap();
        owner.login(UserType::So, Some(&officer)).unwrap();
        owner.init_pin(&AuthPin::new(PIN.into())).unwrap();
        owner.logout().unwrap();
        owner.login(UserType::User, Some(&AuthPin::new(PIN.into()))).unwrap();
        let world = Self { dir, module, slot, owner };
        world.write_pin(PIN, 0o600);
        world
    }

    fn write_pin(&self, pin: &str, mode: u32) {
        let path = self.dir.join("pin");
        fs::write(&path, format!("{pin}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    /// Makes a key pair on the token; for RSA without `curve`.
    fn generate(&self, mechanism: &Mechanism<'_>, curve: Option<&[u8]>, label: &str, id: u8) {
        let name = [Attribute::Token(true), Attribute::Label(label.into()), Attribute::Id(vec![id])];
        let mut public = name.to_vec();
        match curve {
            Some(curve) => public.push(Attribute::EcParams(curve.to_vec())),
            None => public.extend([Attribute::ModulusBits(2048.into()), Attribute::PublicExponent(vec![1, 0, 1])]),
        }
        let mut private = name.to_vec();
        private.extend([Attribute::Private(true), Attribute::Sensitive(true), Attribute::Sign(true)]);
        self.owner.generate_key_pair(mechanism, &public, &private).unwrap();
    }

    fn p256(&self, label: &str, id: u8) {
        self.generate(&Mechanism::EccKeyPairGen, Some(P256), label, id);
    }

    fn address(&self, object: &str) -> TokenAddress {
        TokenAddress {
            module: MODULE.into(),
            token: Some(LABEL.to_owned()),
            serial: None,
            object: Some(object.to_owned()),
            id: None,
            pin_file: self.dir.join("pin"),
        }
    }

    fn key(&self, object: &str) -> SigningKey {
        SigningKey::from_token(&self.address(object)).unwrap_or_else(|fault| panic!("{object}: {fault}"))
    }

    /// Where SoftHSM keeps the token's objects.
    fn token_dir(&self) -> PathBuf {
        fs::read_dir(self.dir.join("tokens")).unwrap().next().unwrap().unwrap().path()
    }
}

/// Runs `body` in a process of its own with a fresh token; `name` is that of the test.
fn with_token(name: &str, body: impl FnOnce(World)) {
    if let Some(dir) = std::env::var_os("SEALGATE_TOKEN_DIR") {
        return body(World::new(dir.into()));
    }
    assert!(Path::new(MODULE).exists(), "{MODULE} is missing: apt-get install softhsm2");
    let dir = std::env::temp_dir().join(format!("sealgate-token-{name}-{}", std::process::id()));
    fs::create_dir_all(dir.join("tokens")).unwrap();
    let settings = format!("directories.tokendir = {}\nobjectstore.backend = file\n", dir.join("tokens").display());
    fs::write(dir.join("softhsm2.conf"), settings).unwrap();
    let run = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env("SOFTHSM2_CONF", dir.join("softhsm2.conf"))
        .env("SEALGATE_TOKEN_DIR", &dir)
        .output()
        .unwrap();
    fs::remove_dir_all(&dir).unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && out.contains("1 passed"), "{name}: {}\n{out}{err}", run.status);
}

fn sign(key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
    let mut out = [0; MAX_OWN_SIGNATURE];
    key.sign(message, &mut out).map(|len| out[..len].to_vec())
}

/// Asks until the key signs again, for as long as a few pauses take.
fn signs_again(key: &SigningKey) -> bool {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        if let Ok(signature) = sign(key, b"again") {
            return key.public().verify(b"again", &signature);
        }
        thread::yield_now();
    }
    false
}

#[test]
fn each_algorithm_signs_and_aws_lc_verifies() {
    with_token("each_algorithm_signs_and_aws_lc_verifies", |world| {
        world.p256("p256", 1);
        world.generate(&Mechanism::EccKeyPairGen, Some(P384), "p384", 2);
        world.generate(&Mechanism::EccEdwardsKeyPairGen, Some(ED25519), "ed25519", 3);
        world.generate(&Mechanism::RsaPkcsKeyPairGen, None, "rsa2048", 4);
        for alg in Alg::ALL {
            let key = world.key(alg.name());
            assert_eq!(key.alg(), alg);
            for i in 0..40_u8 {
                let message = vec![i; usize::from(i) * 7];
                let signature = sign(&key, &message).unwrap();
                assert_eq!(signature.len(), alg.signature_len());
                assert!(key.public().verify(&message, &signature), "{alg} {i}");
                assert!(!key.public().verify(b"other", &signature));
            }
        }
        let by_id = TokenAddress { object: None, id: Some(vec![1]), ..world.address("") };
        assert_eq!(SigningKey::from_token(&by_id).unwrap().public(), world.key("p256").public());
        let serial = world.module.get_token_info(world.slot).unwrap().serial_number().to_owned();
        let by_serial = TokenAddress { token: None, serial: Some(serial), ..world.address("p256") };
        assert_eq!(SigningKey::from_token(&by_serial).unwrap().public(), world.key("p256").public());
    });
}

#[test]
fn what_is_wrong_is_named() {
    with_token("what_is_wrong_is_named", |world| {
        world.p256("good", 1);
        world.p256("twice", 2);
        world.p256("twice", 3);
        world.generate(&Mechanism::EccKeyPairGen, Some(P521), "p521", 4);
        world.p256("alone", 5);
        let public = [Attribute::Class(cryptoki::object::ObjectClass::PUBLIC_KEY), Attribute::Id(vec![5])];
        world.owner.destroy_object(world.owner.find_objects(&public).unwrap()[0]).unwrap();
        let fault = |address: &TokenAddress| SigningKey::from_token(address).expect_err("a fault");
        let of = |object| fault(&world.address(object));
        assert!(matches!(of("none"), TokenError::Keys(0)), "{}", of("none"));
        assert!(matches!(of("twice"), TokenError::Keys(2)), "{}", of("twice"));
        assert!(matches!(of("p521"), TokenError::Key(KeyError::Algorithm)), "{}", of("p521"));
        assert!(matches!(of("alone"), TokenError::NoPublic), "{}", of("alone"));
        let other = fault(&TokenAddress { token: Some("other".to_owned()), ..world.address("good") });
        assert!(matches!(other, TokenError::Tokens(0)), "{other}");
        let module = fault(&TokenAddress { module: "/nowhere/libtoken.so".into(), ..world.address("good") });
        assert!(matches!(module, TokenError::Module { .. }), "{module}");
        let not_one = fault(&TokenAddress { module: world.dir.join("pin"), ..world.address("good") });
        assert!(matches!(not_one, TokenError::Module { .. }), "{not_one}");

        world.write_pin(PIN, 0o640);
        let shared = of("good");
        assert!(matches!(shared, TokenError::PinFile { cause: SecretError::Shared { mode: 0o640 }, .. }), "{shared}");
        world.write_pin("", 0o600);
        assert!(matches!(of("good"), TokenError::NoPin { .. }));
        fs::remove_file(world.dir.join("pin")).unwrap();
        assert!(matches!(of("good"), TokenError::PinFile { cause: SecretError::Io(_), .. }));

        // As long as somebody is logged in, SoftHSM looks at no PIN.
        world.write_pin("0000", 0o600);
        world.owner.logout().unwrap();
        assert!(matches!(of("good"), TokenError::Pin), "{}", of("good"));
        world.write_pin(PIN, 0o600);
        world.key("good");
    });
}

#[test]
fn four_threads_sign_at_once() {
    with_token("four_threads_sign_at_once", |world| {
        world.p256("p256", 1);
        let key = world.key("p256");
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for thread in 0..4_u8 {
                let (key, start) = (key.clone(), &start);
                scope.spawn(move || {
                    start.wait();
                    for i in 0..100_u8 {
                        let signature = sign(&key, &[thread, i]).expect("a signature");
                        assert!(key.public().verify(&[thread, i], &signature));
                    }
                });
            }
        });
        // Sessions end with their threads: one is left, the owner's.
        let info = world.module.get_token_info(world.slot).unwrap();
        assert!(matches!(info.session_count(), None | Some(1)), "{info:?}");
    });
}

#[test]
fn a_session_that_breaks_is_opened_again() {
    with_token("a_session_that_breaks_is_opened_again", |world| {
        world.p256("p256", 1);
        let key = world.key("p256");
        assert!(sign(&key, b"before").is_ok());
        // A logout counts for all sessions of a process, and takes the private keys away from them.
        let logout = || world.owner.logout();
        // A module that starts anew knows none of the sessions before.
        let restart = || {
            world.module.clone().finalize()?;
            world.module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        };
        let breaks: [&dyn Fn() -> cryptoki::error::Result<()>; 3] = [&logout, &logout, &restart];
        for broken in breaks {
            broken().unwrap();
            assert_eq!(sign(&key, b"gone"), Err(SignError));
            assert_eq!(sign(&key, b"gone"), Err(SignError), "a pause comes first");
            assert!(signs_again(&key));
        }
    });
}

#[test]
fn a_token_that_vanishes_signs_nothing_until_it_is_back() {
    with_token("a_token_that_vanishes_signs_nothing_until_it_is_back", |world| {
        world.p256("p256", 1);
        let key = world.key("p256");
        assert!(sign(&key, b"before").is_ok());
        let (here, away) = (world.token_dir(), world.dir.join("away"));
        fs::rename(&here, &away).unwrap();
        // SoftHSM has the key in memory until the login ends.
        world.owner.logout().unwrap();
        let begin = Instant::now();
        let mut tries = 0_u32;
        while begin.elapsed() < Duration::from_millis(400) {
            assert_eq!(sign(&key, b"gone"), Err(SignError));
            tries += 1;
        }
        assert!(tries > 1000, "{tries} answers in 400 ms: a pause must not wait");
        fs::rename(&away, &here).unwrap();
        assert!(signs_again(&key));
    });
}

#[test]
fn a_pin_that_turned_wrong_is_shown_once() {
    with_token("a_pin_that_turned_wrong_is_shown_once", |world| {
        world.p256("p256", 1);
        let key = world.key("p256");
        world.write_pin("0000", 0o600);
        world.owner.logout().unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(sign(&key, b"gone"), Err(SignError)));
            }
        });
        // The right PIN comes too late: who knows how many tries are left.
        world.write_pin(PIN, 0o600);
        assert_eq!(thread::scope(|scope| scope.spawn(|| sign(&key, b"new thread")).join().unwrap()), Err(SignError));
        assert!(world.key("p256").public() == key.public() && sign(&world.key("p256"), b"new start").is_ok());
    });
}
