//! `sealgate tsca`: the lab authority.

mod enrol;
mod repository;

use super::CliError;
use crate::authority::{
    Authority, AuthorityError, Ca, IssuedFiles, MAX_DAYS, Publication, Published, Reason, Request, Setup,
    lab_identifiers, notation,
};
use clap::{Subcommand, ValueEnum};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{Identifiers, Role};
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use time::OffsetDateTime;

/// Arguments of `sealgate tsca`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    /// Print the result as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an authority: a root, a region below it, and their revocation lists.
    ///
    /// Without identifiers the region gets numbers that belong to nobody: country code 999, MCC 001, point codes
    /// 4096-8191, names under `example`.
    Init {
        /// Directory to make.
        dir: PathBuf,
        /// Name of the authority.
        #[arg(long, default_value = "Sealgate Lab")]
        name: String,
        /// Algorithm of the region's key: p256 or p384.
        #[arg(long, default_value = "p256", value_name = "ALG")]
        ca_alg: AlgArg,
        #[command(flatten)]
        identifiers: IdentifierArgs,
    },
    /// Make a key and a certificate for an operator.
    Issue {
        /// Directory of the authority.
        dir: PathBuf,
        /// Name of the operator, also of its files.
        operator: String,
        #[command(flatten)]
        identifiers: IdentifierArgs,
        /// What kind of operator it is.
        #[arg(long, default_value = "csp")]
        role: RoleArg,
        /// Algorithm of its key.
        #[arg(long, default_value = "p256")]
        alg: AlgArg,
        /// Days of validity.
        #[arg(long, default_value_t = MAX_DAYS, conflicts_with = "not_after")]
        days: i64,
        /// First moment of validity, RFC 3339 or a date [default: five minutes ago].
        #[arg(long, value_name = "TIME", value_parser = notation::moment)]
        not_before: Option<OffsetDateTime>,
        /// Last moment of validity, RFC 3339 or a date.
        #[arg(long, value_name = "TIME", value_parser = notation::moment)]
        not_after: Option<OffsetDateTime>,
        /// Who issues it: region or root.
        #[arg(long, default_value = "region")]
        ca: String,
    },
    /// Revoke a certificate and publish its issuer's list.
    Revoke {
        /// Directory of the authority.
        dir: PathBuf,
        /// Operator or serial number.
        which: String,
        /// Why.
        #[arg(long, default_value = "unspecified")]
        reason: ReasonArg,
    },
    /// Make the revocation lists of root and region again, due in seven days.
    Crl {
        /// Directory of the authority.
        dir: PathBuf,
    },
    /// Publish certificates and revocation lists as a repository that gateways follow.
    ///
    /// Makes the revocation lists again, then manifest, snapshot and delta in DIR/repository. Serve that directory over
    /// https, or name it in a gateway's trust.repository as file:///DIR/repository.
    Publish {
        /// Directory of the authority.
        dir: PathBuf,
        /// How many deltas to keep, each from one publication to the next.
        #[arg(long, default_value_t = 16, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(0..=256))]
        deltas: u16,
        /// Hours until the next publication is due; gateways raise an alarm after that.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=168))]
        hours: u16,
    },
    #[command(flatten)]
    Enrolment(enrol::Verb),
    /// Serve DIR/repository over https, and take requests for certificates at /enrol, until Ctrl-C.
    ///
    /// The server's key and certificate are made at the first start, in DIR/https; gateways name DIR/https/cert.pem in
    /// trust.repository.roots.
    Serve {
        /// Directory of the authority.
        dir: PathBuf,
        /// Address and port to listen on.
        #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS:PORT")]
        listen: SocketAddr,
        /// Names and addresses of the server, for its certificate.
        #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "localhost,127.0.0.1")]
        name: Vec<String>,
        /// Publish again every so many minutes, so that what was issued or revoked reaches gateways by itself.
        #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u16).range(1..=1440))]
        publish: Option<u16>,
    },
}

/// What a certificate may speak for. Each option may be repeated or take a list with commas.
#[derive(Debug, Default, clap::Args)]
pub(super) struct IdentifierArgs {
    /// Global title prefix: 99902, or e214:99902.
    #[arg(long, value_name = "PREFIX", value_delimiter = ',', value_parser = notation::gt_prefix)]
    gt: Vec<(u8, String)>,
    /// Network, MCC and MNC: 00102.
    #[arg(long, value_name = "MCCMNC", value_delimiter = ',', value_parser = notation::plmn)]
    plmn: Vec<String>,
    /// International point codes: 4128-4143, 4128, or 2-4-0.
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = notation::ispcs)]
    ispc: Vec<(u16, u16)>,
    /// Diameter realm; covers the labels below it.
    #[arg(long, value_delimiter = ',', value_parser = notation::domain)]
    realm: Vec<String>,
    /// SIP domain; covers the labels below it.
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',', value_parser = notation::domain)]
    sip_domain: Vec<String>,
    /// Telephone numbers, first and how many: 999020000000+10000000.
    #[arg(long, value_name = "FIRST+COUNT", value_delimiter = ',', value_parser = notation::tn_range)]
    tn: Vec<(String, u64)>,
}

impl IdentifierArgs {
    pub(super) fn take(self) -> Identifiers {
        Identifiers {
            gt_prefixes: self.gt,
            plmns: self.plmn,
            ispcs: self.ispc,
            realms: self.realm,
            sip_domains: self.sip_domain,
            tn_ranges: self.tn,
            any: false,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum AlgArg {
    P256,
    Ed25519,
    P384,
    #[value(alias = "rsa2048")]
    Rsa,
}

impl From<AlgArg> for Alg {
    fn from(arg: AlgArg) -> Self {
        match arg {
            AlgArg::P256 => Self::P256,
            AlgArg::Ed25519 => Self::Ed25519,
            AlgArg::P384 => Self::P384,
            AlgArg::Rsa => Self::Rsa2048,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleArg {
    /// A service provider that speaks for its own numbers.
    Csp,
    /// A carrier between operators.
    Carrier,
    /// A hub that serves several operators.
    Hub,
}

impl From<RoleArg> for Role {
    fn from(arg: RoleArg) -> Self {
        match arg {
            RoleArg::Csp => Self::Csp,
            RoleArg::Carrier => Self::Carrier,
            RoleArg::Hub => Self::Hub,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct ReasonArg(Reason);

impl ValueEnum for ReasonArg {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [ReasonArg; 7] = {
            let [a, b, c, d, e, f, g] = Reason::ALL;
            [ReasonArg(a), ReasonArg(b), ReasonArg(c), ReasonArg(d), ReasonArg(e), ReasonArg(f), ReasonArg(g)]
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

impl From<AuthorityError> for CliError {
    fn from(fault: AuthorityError) -> Self {
        Self::new(fault.to_string(), fault.remedy())
    }
}

/// Runs the command and prints what was made where.
/// # Errors
/// Whatever the authority refuses, with its remedy.
pub fn run(args: Args) -> Result<(), CliError> {
    if let Verb::Serve { dir, listen, name, publish } = args.verb {
        return repository::serve(&dir, listen, &name, publish, args.json);
    }
    let (text, json) = execute(args.verb, OffsetDateTime::now_utc())?;
    let shown = if args.json { format!("{json:#}") } else { text };
    // A reader that went away (`| head`) is no fault of ours; the work is done.
    let _ = writeln!(std::io::stdout(), "{shown}");
    Ok(())
}

/// Does the work at `now`; answers in words and in JSON.
fn execute(verb: Verb, now: OffsetDateTime) -> Result<(String, Value), CliError> {
    match verb {
        Verb::Init { dir, name, ca_alg, identifiers } => {
            let wanted = identifiers.take();
            let region = if wanted.is_empty() { lab_identifiers() } else { wanted };
            let authority = Authority::init(&dir, &Setup { name, region, region_alg: ca_alg.into() }, now)?;
            let (name, dir) = (&authority.state().name, authority.dir().display());
            let text = format!(
                "made authority \"{name}\"\n\
                 \x20 trust anchor      {dir}/anchors/root.pem\n\
                 \x20 certificates      {dir}/certs\n\
                 \x20 revocation lists  {dir}/crls (due in 7 days: sealgate tsca crl {dir})\n\
                 \x20 private keys      {dir}/keys (mode 0600)\n\
                 next: sealgate tsca issue {dir} OPERATOR --gt PREFIX"
            );
            let json = json!({ "name": name, "dir": authority.dir(), "anchor": authority.dir().join("anchors/root.pem"),
                "certificates": authority.dir().join("certs"), "crls": authority.dir().join("crls"),
                "keys": authority.dir().join("keys") });
            Ok((text, json))
        }
        Verb::Issue { dir, operator, identifiers, role, alg, days, not_before, not_after, ca } => {
            let request = Request {
                operator,
                identifiers: identifiers.take(),
                role: role.into(),
                alg: alg.into(),
                days,
                not_before,
                not_after,
                ca: Ca::from_name(&ca)?,
            };
            let made = Authority::open(&dir)?.issue(&request, now)?;
            Ok((issued_text(&made), json!(made)))
        }
        Verb::Revoke { dir, which, reason } => {
            let (issued, list) = Authority::open(&dir)?.revoke(&which, reason.0, now)?;
            let text = format!(
                "revoked {} (serial {}, {}): {}\n{}",
                issued.name,
                issued.serial,
                issued.ca,
                reason.0,
                list_text(&list)
            );
            Ok((text, json!({ "revoked": issued, "crl": list })))
        }
        Verb::Crl { dir } => {
            let lists = Authority::open(&dir)?.publish(now)?;
            Ok((lists.iter().map(list_text).collect::<Vec<_>>().join("\n"), json!(lists)))
        }
        Verb::Publish { dir, deltas, hours } => {
            let how = Publication { deltas: deltas.into(), due: time::Duration::hours(hours.into()) };
            let made = Authority::open(&dir)?.publish_repository(how, now)?;
            Ok((repository::text(&made), json!(made)))
        }
        Verb::Enrolment(verb) => enrol::execute(verb, now),
        Verb::Serve { .. } => Err(CliError::new("serving has no end that could be shown", "run it by itself")),
    }
}

fn issued_text(made: &IssuedFiles) -> String {
    let one = &made.issued;
    format!(
        "issued {}: serial {}, {}, SAI {}\n\
         \x20 valid        {} to {}\n\
         \x20 certificate  {}\n\
         \x20 private key  {} (mode 0600)",
        one.name,
        one.serial,
        one.alg,
        one.sai,
        one.not_before,
        one.not_after,
        made.certificate.display(),
        made.private_key.display()
    )
}

fn list_text(list: &Published) -> String {
    format!(
        "  list {} of {}: {} revoked, next due {}, {}",
        list.number,
        list.ca.name(),
        list.revoked,
        list.next_update,
        list.file.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Top {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, String> {
        let words = std::iter::once("tsca").chain(line.split_whitespace());
        Top::try_parse_from(words).map(|top| top.args).map_err(|fault| fault.to_string())
    }

    #[test]
    fn the_command_line_of_the_manual_is_understood() {
        let line = "issue DIR a-ec --gt 99902 --gt e214:99902 --plmn 00102,00103 --ispc 4128-4143 \
            --realm EPC.mnc002.mcc001.3gppnetwork.org --tn 999020000000+10000000 --sip-domain a.example \
            --role hub --alg rsa --not-before 2026-06-01 --not-after 2027-06-01T00:00:00Z --ca region --json";
        let Ok(Args { verb: Verb::Issue { identifiers, role, alg, .. }, json: true }) = parse(line) else {
            panic!("{:?}", parse(line))
        };
        assert!(matches!((role, alg), (RoleArg::Hub, AlgArg::Rsa)));
        let found = identifiers.take();
        assert_eq!(found.gt_prefixes, [(1, "99902".into()), (7, "99902".into())]);
        assert_eq!((found.plmns.len(), &found.ispcs, found.realms.len()), (2, &vec![(4128, 4143)], 1));
        assert_eq!(found.tn_ranges, [("999020000000".into(), 10_000_000)]);
        assert_eq!(found.check(), Ok(()));
        for reason in Reason::ALL {
            assert!(parse(&format!("revoke DIR a-ec --reason {reason}")).is_ok());
        }
    }

    #[test]
    fn what_is_mistyped_is_refused_with_the_form() {
        for (line, want) in [
            ("issue DIR a --gt 99x", "1 to 15 decimal digits"),
            ("issue DIR a --gt e212:1", "use e164: or e214:"),
            ("issue DIR a --ispc 9-1", "FIRST-LAST"),
            ("issue DIR a --tn 999+x", "FIRST+COUNT"),
            ("issue DIR a --not-before soon", "RFC 3339"),
            ("issue DIR a --alg dsa", "p256, ed25519, p384, rsa"),
            ("issue DIR a --role king", "csp, carrier, hub"),
            ("revoke DIR a --reason bored", "key-compromise"),
            ("issue DIR a --days 3 --not-after 2027-01-01", "cannot be used with"),
        ] {
            let fault = parse(line).expect_err(line);
            assert!(fault.contains(want), "{line}: {fault}");
        }
    }

    #[test]
    fn each_verb_says_what_it_made_where() -> Result<(), CliError> {
        let dir = std::env::temp_dir().join(format!("sealgate-tsca-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let shown = dir.display();
        let do_it = |line: &str| execute(parse(line).expect(line).verb, OffsetDateTime::UNIX_EPOCH + MILLENNIUM);
        assert!(do_it(&format!("init {shown}"))?.0.contains(&format!("{shown}/anchors/root.pem")));
        let (text, json) = do_it(&format!("issue {shown} op --gt 99902"))?;
        assert!(
            text.starts_with("issued op: serial 3, p256, SAI ") && text.contains("op.key.pem (mode 0600)"),
            "{text}"
        );
        assert_eq!((&json["serial"], &json["ca"]), (&json!(3), &json!("region")));
        let fault = do_it(&format!("issue {shown} other --gt 49")).expect_err("outside");
        assert_eq!(fault.to_string().lines().next(), Some("error: GT prefix 49 is not inside what region has"));
        let (text, json) = do_it(&format!("revoke {shown} op --reason superseded"))?;
        assert!(text.starts_with("revoked op (serial 3, region): superseded\n  list 2 of region: 1 revoked"), "{text}");
        assert_eq!(json["crl"]["number"], json!(2));
        assert_eq!(do_it(&format!("crl {shown}"))?.1[1]["number"], json!(3));
        let _ = std::fs::remove_dir_all(&dir);
        Ok(())
    }

    const MILLENNIUM: time::Duration = time::Duration::seconds(946_684_800);
}
