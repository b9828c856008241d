//! `sealgate tsca publish` and `serve`: the lab authority's repository.

use super::CliError;
use crate::authority::serve::{self, Server};
use crate::authority::{Authority, DIRECTORY, Publication, Repository};
use serde_json::json;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use time::OffsetDateTime;

/// How long publishing waits for somebody who is issuing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves until the process is ended.
pub(super) fn serve(
    dir: &Path,
    listen: SocketAddr,
    names: &[String],
    publish: Option<u16>,
    json: bool,
) -> Result<(), CliError> {
    let again = || -> Result<Repository, CliError> {
        Ok(Authority::open_after(dir, PATIENCE)?
            .publish_repository(Publication::default(), OffsetDateTime::now_utc())?)
    };
    let files = dir.join(DIRECTORY);
    if !files.join("manifest.json").exists() {
        again()?;
    }
    let (tls, roots) = serve::identity(dir, names)?;
    let server = Server::start_with_desk(listen, dir, tls)
        .map_err(|fault| CliError::new(format!("{listen}: {fault}"), "give another address or port with --listen"))?;
    let url = format!("https://{}:{}/", names.first().map_or("localhost", String::as_str), server.address().port());
    let shown = match json {
        true => json!({ "url": url, "roots": roots }).to_string(),
        false => format!("serving {url} from {}; Ctrl-C stops\n  roots: [{}]", files.display(), roots.display()),
    };
    let _ = writeln!(std::io::stdout(), "{shown}");
    loop {
        std::thread::sleep(Duration::from_secs(60 * u64::from(publish.unwrap_or(1))));
        // What fails once, because somebody is issuing in this moment, is done the next time.
        if publish.is_some()
            && let Err(fault) = again()
        {
            eprintln!("{fault}");
        }
    }
}

/// A publication in words.
pub(super) fn text(made: &Repository) -> String {
    format!(
        "published serial {} of session {}\n\
         \x20 objects      {} ({} new or changed, {} withdrawn)\n\
         \x20 deltas       {}\n\
         \x20 next due     {}\n\
         \x20 directory    {}",
        made.serial,
        made.session,
        made.objects,
        made.changed,
        made.withdrawn,
        made.deltas,
        made.next_update,
        made.dir.display()
    )
}
