//! Reads what `strace -f -y -xx` wrote: lines into system calls.
//!
//! Pure: the caller reads the file. What can't be read is an error, never skipped: a write that
//! was overlooked would make the replay lie.

mod args;
mod line;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

#[cfg(test)]
use args::Descriptor;
pub(super) use args::{bytes, descriptor, number, path};
use line::Line;

/// One finished system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// Its name, such as `pwrite64`.
    pub name: String,
    /// Its arguments as printed.
    pub args: Vec<String>,
    /// What it returned, as printed up to the first space: `24`, `5<\x2f…>`.
    pub returned: String,
    /// The number of the line on which it began.
    pub began: usize,
    /// The number of the line on which it ended.
    pub ended: usize,
}

impl Call {
    /// False where it failed, or where nobody knows what became of it.
    pub(super) fn succeeded(&self) -> bool {
        !self.returned.starts_with(['-', '?'])
    }

    /// The argument at that place.
    pub(super) fn arg(&self, index: usize) -> Result<&str, String> {
        let arg = self.args.get(index).map(String::as_str);
        arg.ok_or_else(|| format!("{} has no argument {index}: {:?}", self.name, self.args))
    }
}

/// Joins lines into calls; a call that was interrupted by others is given when it is over.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// What each thread has begun: the number of the line, and its text so far.
    begun: HashMap<u32, (usize, String)>,
    lines: usize,
}

impl Reader {
    /// Takes the next line; `None` where no call ends with it.
    pub(super) fn line(&mut self, text: &str) -> Result<Option<Call>, String> {
        let number = self.lines;
        self.lines += 1;
        match line::read(text)? {
            Line::Other => Ok(None),
            Line::Whole { text } => line::call(text, number, number).map(Some),
            Line::Begun { thread, text } => {
                match self.begun.insert(thread, (number, text.to_owned())) {
                    None => Ok(None),
                    Some(_) => Err(format!("thread {thread} began a call within a call")),
                }
            }
            Line::Resumed { thread, name, rest } => {
                let Some((began, mut text)) = self.begun.remove(&thread) else {
                    return Err(format!("thread {thread} ends a call that it never began"));
                };
                if !text.starts_with(name) {
                    return Err(format!("thread {thread} began {text:.20} and ended {name}"));
                }
                text.push_str(rest);
                line::call(&text, began, number).map(Some)
            }
        }
    }
}
