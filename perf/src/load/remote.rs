//! A gateway under test in a process of its own, which is asked by lines of JSON.
//!
//! The bench starts this program again with a hidden verb and writes one [`Ask`] a line to it; the answer is one line too.
//! A gateway that ends, or whose bench ends, takes the other with it: neither polls ports whose peer is gone.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rig::{Device, Setup, Tables};
use crate::record::Calm;

/// How long an answer may take: a policy of a million prefixes, or tables of ten thousand keys.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the gateway's process is told first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Name or file of the traffic's profile; `None`: forward only.
    pub profile: Option<String>,
    /// Cores and faults.
    pub setup: Setup,
    /// Devices of the interconnect and home port, as in a configuration.
    pub devices: [String; 2],
    /// Descriptors of each queue.
    pub depth: u16,
}

/// A question to the gateway's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// [`Device::begin`].
    Begin,
    /// [`Device::end`].
    End,
    /// [`Device::reload`].
    Reload,
    /// [`Device::verdicts`].
    Verdicts,
    /// [`Device::tables`].
    Tables,
    /// Everything ends.
    Stop,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It was done; the first one says that all is up.
    Done,
    /// How calm it was.
    Calm(Option<Calm>),
    /// Messages by reason.
    Verdicts(Vec<(String, u64)>),
    /// How far tables of keys are.
    Tables(Option<Tables>),
    /// It was not done.
    Failed(String),
}

/// The process, seen from the bench.
pub struct Remote {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Remote {
    /// Starts it and waits until it is up.
    ///
    /// # Errors
    /// What it says, or that it ended.
    pub fn start(mut command: Command, order: &Order) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start the gateway's process: {error}"))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or("the gateway's process has no pipes")?;
        let mut remote = Self { child, stdin, lines: listen(stdout) };
        let order = serde_json::to_string(order).map_err(|error| error.to_string())?;
        remote.say(&order)?;
        match remote.hear()? {
            Answer::Failed(why) => Err(why),
            _ => Ok(remote),
        }
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.stdin, "{line}").map_err(|_| "the gateway's process has ended".to_owned())
    }

    fn hear(&mut self) -> Result<Answer, String> {
        let line = self.lines.recv_timeout(PATIENCE).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => "the gateway's process does not answer".to_owned(),
            mpsc::RecvTimeoutError::Disconnected => "the gateway's process has ended; see above".to_owned(),
        })?;
        serde_json::from_str(&line).map_err(|error| format!("the gateway's process answers {line:?}: {error}"))
    }

    fn ask(&mut self, ask: Ask) -> Result<Answer, String> {
        let line = serde_json::to_string(&ask).map_err(|error| error.to_string())?;
        self.say(&line)?;
        match self.hear()? {
            Answer::Failed(why) => Err(why),
            answer => Ok(answer),
        }
    }
}

/// Its lines, read on a thread, so that waiting for one has an end.
fn listen(stdout: ChildStdout) -> Receiver<String> {
    let (give, take) = mpsc::channel();
    std::thread::spawn(move || {
        // Ends with the process, or once nobody listens.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if give.send(line).is_err() {
                break;
            }
        }
    });
    take
}

impl Drop for Remote {
    fn drop(&mut self) {
        if self.say("\"stop\"").is_ok() {
            let _ = self.lines.recv_timeout(Duration::from_secs(5));
        }
        // It was told to end. One that does not is ended, and has no state that could be lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Device for Remote {
    fn begin(&mut self) -> Result<(), String> {
        self.ask(Ask::Begin).map(|_| ())
    }

    fn end(&mut self) -> Result<Option<Calm>, String> {
        match self.ask(Ask::End)? {
            Answer::Calm(calm) => Ok(calm),
            other => Err(format!("the gateway's process answers {other:?}")),
        }
    }

    fn reload(&mut self) -> Result<(), String> {
        self.ask(Ask::Reload).map(|_| ())
    }

    fn verdicts(&mut self) -> Result<Vec<(String, u64)>, String> {
        match self.ask(Ask::Verdicts)? {
            Answer::Verdicts(verdicts) => Ok(verdicts),
            other => Err(format!("the gateway's process answers {other:?}")),
        }
    }

    fn tables(&mut self) -> Result<Option<Tables>, String> {
        match self.ask(Ask::Tables)? {
            Answer::Tables(tables) => Ok(tables),
            other => Err(format!("the gateway's process answers {other:?}")),
        }
    }
}

/// The other end: answers for a gateway until the bench wants no more.
///
/// # Errors
/// A bench whose lines cannot be read, or that hears no answer.
pub fn serve(
    device: &mut dyn Device,
    lines: &mut dyn Iterator<Item = std::io::Result<String>>,
    out: &mut dyn Write,
) -> Result<(), String> {
    let mut answer = |answer: &Answer| -> Result<(), String> {
        let text = serde_json::to_string(answer).map_err(|error| error.to_string())?;
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| error.to_string())
    };
    answer(&Answer::Done)?;
    for line in lines {
        let line = line.map_err(|error| error.to_string())?;
        let done = match serde_json::from_str(&line) {
            Ok(Ask::Begin) => device.begin().map(|()| Answer::Done),
            Ok(Ask::End) => device.end().map(Answer::Calm),
            Ok(Ask::Reload) => device.reload().map(|()| Answer::Done),
            Ok(Ask::Verdicts) => device.verdicts().map(Answer::Verdicts),
            Ok(Ask::Tables) => device.tables().map(Answer::Tables),
            Ok(Ask::Stop) => break,
            Err(error) => Err(format!("{line:?}: {error}")),
        };
        answer(&done.unwrap_or_else(Answer::Failed))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Deaf(u32);

    impl Device for Deaf {
        fn begin(&mut self) -> Result<(), String> {
            self.0 += 1;
            Ok(())
        }
        fn end(&mut self) -> Result<Option<Calm>, String> {
            Ok(Some(Calm { switches: u64::from(self.0), ..Calm::default() }))
        }
        fn reload(&mut self) -> Result<(), String> {
            Err("no policy".to_owned())
        }
        fn verdicts(&mut self) -> Result<Vec<(String, u64)>, String> {
            Ok(vec![("R_OK".to_owned(), 7)])
        }
        fn tables(&mut self) -> Result<Option<Tables>, String> {
            Ok(Some(Tables { keys: [1, 2, 3, 4], pending: 5 }))
        }
    }

    #[test]
    fn every_question_has_an_answer() -> Result<(), Box<dyn std::error::Error>> {
        let asked =
            ["\"begin\"", "\"end\"", "\"reload\"", "\"verdicts\"", "\"tables\"", "nonsense", "\"stop\"", "\"begin\""];
        let mut out = Vec::new();
        serve(&mut Deaf(0), &mut asked.iter().map(|line| Ok((*line).to_owned())), &mut out)?;
        let answers: Vec<Answer> =
            String::from_utf8(out)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let calm = Calm { switches: 1, ..Calm::default() };
        let expected = [Answer::Done, Answer::Done, Answer::Calm(Some(calm)), Answer::Failed("no policy".to_owned())];
        assert_eq!(answers.get(..4), Some(expected.as_slice()));
        assert_eq!(answers.get(4), Some(&Answer::Verdicts(vec![("R_OK".to_owned(), 7)])));
        let tables = Tables { keys: [1, 2, 3, 4], pending: 5 };
        assert_eq!(answers.get(5), Some(&Answer::Tables(Some(tables))));
        assert!(matches!(answers.get(6), Some(Answer::Failed(why)) if why.contains("nonsense")));
        assert_eq!(answers.len(), 7, "nothing after stop");
        Ok(())
    }
}
