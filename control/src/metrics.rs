//! The page that Prometheus reads: what the documents of [`crate::report`] say, as numbers.
//!
//! Labels are bounded: reasons are those of one table, peers those of the policy that had traffic, with 14 lines each.

mod machine;
mod page;
mod traffic;
mod trust;

use crate::report::Board;
use page::Page;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;
use sealgate_dataplane::engine::now_ms;
use std::fmt;
use std::sync::Arc;

/// The media type of OpenMetrics.
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// That of the older form, for who does not ask for OpenMetrics.
pub const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that is measured, read anew for each page.
pub struct Metrics(Registry);

impl Metrics {
    /// Of this gateway.
    pub fn new(board: Arc<Board>) -> Self {
        let mut registry = Registry::with_prefix("sealgate");
        registry.register_collector(Box::new(Source(board)));
        Self(registry)
    }

    /// The page in OpenMetrics.
    /// # Errors
    /// None that was seen: text goes into a string.
    pub fn openmetrics(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.0)?;
        Ok(out)
    }

    /// The page in the older form.
    /// # Errors
    /// As [`Metrics::openmetrics`].
    pub fn plain(&self) -> Result<String, fmt::Error> {
        self.openmetrics().map(|page| plain(&page))
    }
}

/// From OpenMetrics to the older form, in which a counter's name has `_total` in its descriptions too, and neither units nor
/// infos nor an end are known.
fn plain(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        let Some(help) = line.strip_prefix("# HELP ") else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        // The type follows its help.
        let kind = lines.next_if(|line| line.starts_with("# TYPE ")).and_then(|line| line.rsplit(' ').next());
        let (name, help) = help.split_once(' ').unwrap_or((help, ""));
        let (suffix, kind) = match kind.unwrap_or("untyped") {
            "counter" => ("_total", "counter"),
            "info" => ("_info", "gauge"),
            other => ("", other),
        };
        out.push_str(&format!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n"));
    }
    out
}

/// Reads the board for each page.
struct Source(Arc<Board>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl Collector for Source {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (board, now_ms) = (&*self.0, now_ms());
        let mut page = Page::new(encoder);
        machine::write(board, &mut page)?;
        traffic::write(board, &mut page)?;
        trust::write(board, now_ms, &mut page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_form_names_counters_and_infos_as_they_are_sampled() {
        let page = "# HELP a_b Some help.\n# TYPE a_b counter\n# UNIT a_b bytes\na_b_total{x=\"# HELP\"} 1\n\
                    # HELP i About.\n# TYPE i info\ni_info{v=\"1\"} 1\n# HELP g G.\n# TYPE g gauge\ng 2\n# EOF\n";
        let want = "# HELP a_b_total Some help.\n# TYPE a_b_total counter\na_b_total{x=\"# HELP\"} 1\n\
                    # HELP i_info About.\n# TYPE i_info gauge\ni_info{v=\"1\"} 1\n# HELP g G.\n# TYPE g gauge\ng 2\n";
        assert_eq!(plain(page), want);
    }
}
