//! In the place of a gateway: whatever comes by one port leaves by the other. What is measured then is the tester.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use core_affinity::CoreId;
use sealgate_dataplane::io::FrameIo;

use super::calm::{Mark, Watched};
use super::rig::Device;
use crate::fault::{Fault, Gap, Probe};
use crate::record::Calm;

/// Frames taken at a time.
const BURST: usize = 32;

/// A thread that forwards.
pub struct Forwarder {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    watched: Watched,
    gap: Gap,
    mark: Option<Mark>,
}

impl Forwarder {
    /// Starts it on this core.
    ///
    /// * `enter`: called on its thread before it polls
    /// # Errors
    /// A thread that does not start, or no such core.
    pub fn start<P, G>(
        ports: [P; 2],
        core: usize,
        enter: impl FnOnce() -> Result<G, String> + Send + 'static,
    ) -> Result<Self, String>
    where
        P: FrameIo + Send + 'static,
    {
        let (stop, gap) = (Arc::new(AtomicBool::new(false)), Gap::default());
        let (stopped, noted) = (Arc::clone(&stop), gap.clone());
        let (up, is_up) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            if !core_affinity::set_for_current(CoreId { id: core }) {
                let _ = up.send(Err(format!("core {core} is not available")));
                return;
            }
            let _entered = match enter() {
                Ok(entered) => entered,
                Err(why) => {
                    let _ = up.send(Err(why));
                    return;
                }
            };
            let _ = up.send(Ok(Watched::this()));
            let [one, two] = ports;
            let (mut one, mut two) = (Probe::new(one, Fault::default(), noted), two);
            let (mut there, mut back) = (VecDeque::with_capacity(BURST), VecDeque::with_capacity(BURST));
            let mut burst = Vec::with_capacity(BURST);
            while !stopped.load(Ordering::Relaxed) {
                forward(&mut one, &mut two, &mut burst, &mut there);
                forward(&mut two, &mut one, &mut burst, &mut back);
            }
        });
        let watched = is_up.recv().map_err(|_| "the forwarder ended early")??;
        Ok(Self { stop, thread: Some(thread), watched, gap, mark: None })
    }
}

/// One burst from one port to the other; what finds no room waits.
fn forward<F, A, B>(from: &mut A, to: &mut B, burst: &mut Vec<F>, waiting: &mut VecDeque<F>)
where
    A: FrameIo<Frame = F>,
    B: FrameIo<Frame = F>,
{
    if waiting.is_empty() {
        from.rx(burst, BURST);
        waiting.extend(burst.drain(..));
    }
    if !waiting.is_empty() {
        to.tx(waiting);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic was printed when it happened.
            let _ = thread.join();
        }
    }
}

impl Device for Forwarder {
    fn begin(&mut self) -> Result<(), String> {
        self.gap.take();
        self.mark = self.watched.mark();
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Calm>, String> {
        let gap = self.gap.take();
        Ok(self.mark.as_ref().map(|mark| self.watched.since(mark, gap)))
    }

    fn reload(&mut self) -> Result<(), String> {
        Err("a forwarder has no policy".to_owned())
    }

    fn verdicts(&mut self) -> Result<Vec<(String, u64)>, String> {
        Ok(Vec::new())
    }
}
