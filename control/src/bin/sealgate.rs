//! The command.

fn main() -> std::process::ExitCode {
    sealgate_control::cli::main()
}
