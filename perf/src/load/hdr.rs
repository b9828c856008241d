//! Whole histograms as files that HdrHistogram's own tools read.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;

/// Writes one interval of nanoseconds in HdrHistogram's log format, version 1.3; the maximum in it is in milliseconds.
///
/// * `began_unix_s`: when the trial began, seconds since 1970; `seconds`: how long it took
/// # Errors
/// A file that cannot be written.
pub fn write(path: &Path, histogram: &Histogram<u64>, began_unix_s: u64, seconds: f64) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path).map_err(|error| format!("{}: {error}", path.display()))?);
    let mut serializer = V2DeflateSerializer::new();
    let begun = UNIX_EPOCH + Duration::from_secs(began_unix_s);
    IntervalLogWriterBuilder::new()
        .add_comment("sgperf load: from due to come, nanoseconds")
        .with_start_time(begun)
        .with_max_value_divisor(1e6)
        .begin_log_with(&mut file, &mut serializer)?
        .write_histogram(histogram, Duration::ZERO, Duration::from_secs_f64(seconds), None)
        .map_err(|error| format!("{}: {error:?}", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::ledger::histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    #[test]
    fn what_is_written_is_read_again() -> Result<(), Box<dyn Error>> {
        let mut latency = histogram();
        for ns in [1_000, 2_000, 2_000, 5_000_000] {
            latency.record(ns)?;
        }
        let path = std::env::temp_dir().join(format!("sgperf-hdr-{}.hdr", std::process::id()));
        write(&path, &latency, 1_795_000_000, 1.5)?;
        let text = std::fs::read(&path)?;
        std::fs::remove_file(&path)?;
        let mut read = 0;
        for entry in IntervalLogIterator::new(&text) {
            let LogEntry::Interval(interval) = entry.map_err(|error| format!("{error:?}"))? else { continue };
            use base64::Engine;
            let raw = base64::engine::general_purpose::STANDARD.decode(interval.encoded_histogram())?;
            let again: Histogram<u64> =
                Deserializer::new().deserialize(&mut raw.as_slice()).map_err(|error| format!("{error:?}"))?;
            assert_eq!((again.len(), again.max()), (4, latency.max()));
            read += 1;
        }
        assert_eq!(read, 1);
        Ok(())
    }
}
