//! The mock as the agent sees it: contexts, connections and exchanges.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use fixtures::card::VirtualCard;
use plugin_protocol::encoding::hex;

use super::super::{Connection, Context, Ending, Exchange, Stack, Watched};
use super::{Call, Fault, PATIENCE, State, World};
use crate::token::card::transport::Protocol;

impl World {
    /// Returns once calls of this kind do.
    fn returned(&self, plugged: u64, call: Call) {
        let hangs = |state: &mut State| state.hangs.contains(&(plugged, call));
        drop(self.0.moved.wait_while(self.state(), hangs).unwrap());
    }
}

impl Stack for World {
    fn establish(&self) -> Result<Box<dyn Context>, Fault> {
        let mut state = self.state();
        state.established += 1;
        let run = state.running.ok_or_else(gone)?;
        state.contexts += 1;
        state.open += 1;
        Ok(Box::new(Line {
            world: self.clone(),
            run,
            id: state.contexts,
            listed: Mutex::default(),
        }))
    }
}

fn gone() -> Fault {
    Fault::NoService("the mock is not running".to_owned())
}

/// A context.
struct Line {
    world: World,
    run: u64,
    id: u64,
    /// The count of arrivals when the readers were listed last.
    listed: Mutex<u64>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.world.state().open -= 1;
        self.world.0.moved.notify_all();
    }
}

impl Line {
    /// The state, where this context is not dead.
    fn alive(&self) -> Result<MutexGuard<'_, State>, Fault> {
        let state = self.world.state();
        match state.running == Some(self.run) {
            true => Ok(state),
            false => Err(gone()),
        }
    }
}

impl Context for Line {
    fn readers(&self) -> Result<Vec<String>, Fault> {
        let mut state = self.alive()?;
        *self.listed.lock().unwrap() = state.arrivals;
        let names = state.readers.keys().cloned().collect();
        match state.late.take() {
            Some((0, late)) => state.plug(&late),
            Some((lists, late)) => state.late = Some((lists - 1, late)),
            None => {}
        }
        Ok(names)
    }

    fn wait(&self, watched: &mut [Watched], arrivals: bool, timeout: Option<Duration>) -> Result<(), Fault> {
        let mut state = self.alive()?;
        let begun = Instant::now();
        let known = match state.counts {
            true => *self.listed.lock().unwrap(),
            false => state.arrivals,
        };
        state.waits += usize::from(timeout.is_none());
        loop {
            if state.running != Some(self.run) {
                return Err(gone());
            }
            let mut news = arrivals && state.arrivals != known;
            for one in watched.iter_mut() {
                let slot = state.readers.get(&one.reader).ok_or(Fault::NoReader)?;
                (one.found, one.atr) = (slot.seen(), slot.atr.clone());
                news |= one.known != Some(one.found);
            }
            if news {
                return Ok(());
            }
            if let Some(at) = state.cancelled.iter().position(|id| *id == self.id) {
                state.cancelled.remove(at);
                return Err(Fault::Cancelled);
            }
            let left = timeout.map_or(PATIENCE, |timeout| timeout.saturating_sub(begun.elapsed()));
            if left.is_zero() {
                return Err(Fault::Timeout);
            }
            let endless = usize::from(timeout.is_none());
            state.waiting += 1;
            state.endless += endless;
            self.world.0.moved.notify_all();
            state = self.world.0.moved.wait_timeout(state, left).unwrap().0;
            state.waiting -= 1;
            state.endless -= endless;
        }
    }

    fn cancel(&self) {
        let mut state = self.world.state();
        if state.waiting > 0 {
            state.cancelled.push(self.id);
        }
        self.world.0.moved.notify_all();
    }

    fn connect(&self, reader: &str) -> Result<Box<dyn Connection>, Fault> {
        let mut state = self.alive()?;
        let slot = state.readers.get_mut(reader).ok_or(Fault::NoReader)?;
        if slot.exclusive {
            return Err(Fault::Sharing);
        }
        let card = slot.card.clone().ok_or(Fault::NoCard)?;
        if slot.mute {
            return Err(Fault::Mute);
        }
        slot.log.push("connect".to_owned());
        let (events, plugged) = (slot.events, slot.plugged);
        drop(state);
        self.world.0.moved.notify_all();
        self.world.returned(plugged, Call::Connect);
        Ok(Box::new(Handle {
            world: self.world.clone(),
            run: self.run,
            reader: reader.to_owned(),
            events,
            plugged,
            card,
        }))
    }
}

/// A connection, dead for ever once its card was pulled.
struct Handle {
    world: World,
    run: u64,
    reader: String,
    events: u16,
    plugged: u64,
    card: Arc<Mutex<Box<dyn VirtualCard>>>,
}

impl Handle {
    fn done(&self, what: impl Into<String>) -> Result<(), Fault> {
        let mut state = self.world.state();
        if state.running != Some(self.run) {
            return Err(gone());
        }
        let slot = state.readers.get_mut(&self.reader);
        let slot = slot
            .filter(|slot| slot.plugged == self.plugged)
            .ok_or(Fault::NoReader)?;
        slot.log.push(what.into());
        self.world.0.moved.notify_all();
        match slot.events == self.events {
            true => Ok(()),
            false => Err(Fault::NoCard),
        }
    }

    /// A fault where the reader was pulled out since, and perhaps plugged in again.
    fn plugged(&self) -> Result<(), Fault> {
        let state = self.world.state();
        let slot = state.readers.get(&self.reader);
        match slot.is_some_and(|slot| slot.plugged == self.plugged) {
            true => Ok(()),
            false => Err(Fault::NoReader),
        }
    }

    fn end(&self, what: &str, ending: Ending) {
        if ending == Ending::Reset {
            self.card.lock().unwrap().reset();
        }
        let _ = self.done(format!("{what} {ending:?}"));
    }
}

impl Connection for Handle {
    fn transacted(&mut self, script: &mut dyn FnMut(&mut dyn Exchange) -> Ending) -> Result<(), Fault> {
        self.done("begin")?;
        let held = |state: &mut State| state.readers.get(&self.reader).is_some_and(|slot| slot.held);
        let mut state = self.world.0.moved.wait_while(self.world.state(), held).unwrap();
        if let Some(slot) = state.readers.get_mut(&self.reader)
            && slot.resets > 0
        {
            slot.resets -= 1;
            return Err(Fault::Reset);
        }
        drop(state);
        self.done("begun")?;
        let ending = script(self);
        self.world.returned(self.plugged, Call::End);
        self.end("end", ending);
        Ok(())
    }

    fn disconnect(self: Box<Self>, ending: Ending) {
        self.end("disconnect", ending);
    }
}

impl Exchange for Handle {
    fn protocol(&self) -> Protocol {
        Protocol::T1
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Fault> {
        self.done(hex(command))?;
        self.world.returned(self.plugged, Call::Transmit);
        self.plugged()?;
        let counted = |left: &mut Option<usize>| match left {
            Some(0) => {
                *left = None;
                true
            }
            Some(more) => {
                *more -= 1;
                false
            }
            None => false,
        };
        let (fault, pulled, died) = self.world.slot(&self.reader, |slot| {
            let pulled = counted(&mut slot.pull_after);
            if pulled {
                slot.pull();
            }
            (slot.faults.pop_front(), pulled, counted(&mut slot.die_after))
        });
        if died {
            self.world.stop();
            return Err(gone());
        }
        // The card may have done what it was told before it was pulled.
        let answer = self.card.lock().unwrap().transmit(command);
        match fault {
            Some(fault) => Err(fault),
            None if pulled => Ok(Vec::new()),
            None => Ok(answer),
        }
    }

    fn control(&mut self, code: u32, input: &[u8]) -> Result<Vec<u8>, Fault> {
        self.done(format!("control {code:08x} {}", hex(input)))?;
        self.world.returned(self.plugged, Call::Control);
        self.plugged()?;
        let answer = self.world.slot(&self.reader, |slot| slot.controls.get(&code).cloned());
        answer.ok_or_else(|| Fault::Other("not supported".to_owned()))
    }
}
