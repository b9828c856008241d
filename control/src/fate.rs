//! What a panic ends.
//!
//! A worker, the keeper of tables or the follower of a repository that is gone would leave a gateway that looks well and is
//! not: the process ends, and the service manager starts it again. A crypto thread is missed at once, its jobs are refused,
//! and another one takes its place.

use sealgate_crypto::pool::is_replaced;

/// From here on a panic ends the process, unless it is one of a thread that is replaced.
pub fn settle() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        if !is_replaced(std::thread::current().name()) {
            std::process::abort();
        }
    }));
}
