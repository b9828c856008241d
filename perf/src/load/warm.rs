//! Before anything is measured: associations are known, memory was touched, and keys have the tables that traffic earns them.

use std::time::{Duration, Instant};

use sealgate_dataplane::io::FrameIo;

use super::bench::Bench;
use super::feed::Feed;
use super::rig::Device;
use crate::record::Trial;

/// Longest wait for tables of keys: those of 10,000 keys take a minute where one core is free now and then.
const TABLES: Duration = Duration::from_secs(120);
/// Tables are made on cores that nobody polls: so long the tester leaves its own.
const PAUSE: Duration = Duration::from_millis(200);
/// Looks at which nothing has changed until tables are taken for made; keys are counted twice a second.
const UNCHANGED: u32 = 3;

impl<P: FrameIo, F: Feed, D: Device> Bench<'_, P, F, D> {
    /// Offers a little, and then goes on until a gateway that tells of its keys' tables has made them.
    /// # Errors
    /// A gateway that does not answer.
    pub fn warm(&mut self, seconds: f64) -> Result<(), String> {
        let (_, trial) = self.trial("warm-up", 1e4, seconds, None)?;
        if trial.misjudged > trial.received / 2 {
            let Trial { misjudged, received, .. } = trial;
            self.note(&format!(
                "warm-up: {misjudged} of {received} messages were judged otherwise than they must be: does the gateway \
                 have this profile's configuration?"
            ));
        }
        self.trial("warm-up", 1e5, seconds, None)?;
        self.wait_for_tables()
    }

    fn wait_for_tables(&mut self) -> Result<(), String> {
        let (until, mut seen, mut unchanged) = (Instant::now() + TABLES, self.device.tables()?, 0);
        while let Some(tables) = seen {
            if tables.pending == 0 && unchanged >= UNCHANGED {
                break;
            }
            if Instant::now() > until {
                self.note(&format!("warm-up: tables of keys were still being made after {} s", TABLES.as_secs()));
                break;
            }
            std::thread::sleep(PAUSE);
            self.trial("warm-up, tables", 1e4, PAUSE.as_secs_f64(), None)?;
            let now = self.device.tables()?;
            unchanged = if now == seen { unchanged + 1 } else { 0 };
            seen = now;
        }
        Ok(())
    }
}
