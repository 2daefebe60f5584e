//! Runs a model as the harness of the peers asks: `MODEL_DIR FEATURES_NPZ BATCH ITERATIONS BUDGET_MS`, and one line of
//! JSON about it. With BENCH_EVICT set, memory that no cache holds is read before every call, so that the call has to get its
//! weights from the memory too; `read_gb_s` says how fast that reading was.

#![forbid(unsafe_code)]

use std::error::Error;
use std::hint::black_box;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use tf_layers::npz::{Item, Npz};
use tf_layers::{InputError, Tensor, zeros};

mod models;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match Task::read(&args).and_then(|task| models::run(&task)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let words = error.to_string().replace(['\\', '"', '\n', '\t'], " ");
            println!(r#"{{"error":"{words}"}}"#);
            ExitCode::FAILURE
        }
    }
}

/// What the harness asks for.
struct Task {
    /// The last part of MODEL_DIR.
    model: String,
    features: Vec<u8>,
    batch: usize,
    iterations: usize,
    budget: Duration,
    /// What is read before every call, if anything.
    elsewhere: Option<Vec<f32>>,
}

impl Task {
    fn read(args: &[String]) -> Result<Self, Box<dyn Error>> {
        let [folder, features, batch, iterations, budget] = args else {
            return Err("usage: MODEL_DIR FEATURES_NPZ BATCH ITERATIONS BUDGET_MS".into());
        };
        let name = Path::new(folder).file_name().ok_or("MODEL_DIR names no model")?;
        Ok(Self {
            model: name.to_string_lossy().into_owned(),
            features: fs::read(features).map_err(|error| format!("{features}: {error}"))?,
            batch: batch.parse::<usize>()?.max(1),
            iterations: iterations.parse()?,
            budget: Duration::from_millis(budget.parse()?),
            elsewhere: env::var_os("BENCH_EVICT").map(|_| vec![1.0; 64 << 20]),
        })
    }

    /// Loads the model and predicts: the first batch, then all of them, then one after another until the time is over.
    fn run<Model, Row: Item + Tensor<Number = f32>>(
        &self,
        load: impl FnOnce() -> Result<Model, Box<dyn Error>>,
        predict: impl Fn(&mut Model, Range<usize>, &mut [Row]) -> Result<(), InputError>,
    ) -> Result<String, Box<dyn Error>> {
        let expected: Vec<Row> = Npz::new(&self.features)?.rows("predictions")?;
        let batches = expected.len() / self.batch;
        if batches == 0 {
            return Err(format!("fewer than {} samples", self.batch).into());
        }
        let rows = |index: usize| (index % batches) * self.batch..(index % batches + 1) * self.batch;

        let started = Instant::now();
        let mut model = load()?;
        let load_us = microseconds(started);
        let mut output: Vec<Row> = zeros(self.batch);
        let started = Instant::now();
        predict(&mut model, rows(0), &mut output)?;
        let first_us = microseconds(started);
        let first_done = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();

        let mut errors = Errors::default();
        errors.add(&output, &expected[rows(0)]);
        let mut times = Vec::new();
        let mut cpu_us = 0.0;
        let mut fastest_read = 0.0_f64;
        if self.iterations > 0 {
            for index in 1..batches {
                predict(&mut model, rows(index), &mut output)?;
                errors.add(&output, &expected[rows(index)]);
            }
            let (started, cpu) = (Instant::now(), cpu_time());
            while times.len() < self.iterations
                && (times.len() < 3 || started.elapsed() < self.budget)
            {
                if let Some(elsewhere) = &self.elsewhere {
                    let reading = Instant::now();
                    black_box(sum(elsewhere));
                    let gigabytes = size_of_val(elsewhere.as_slice()) as f64 / 1e9;
                    fastest_read = fastest_read.max(gigabytes / reading.elapsed().as_secs_f64());
                }
                let call = Instant::now();
                predict(&mut model, rows(times.len()), &mut output)?;
                times.push(microseconds(call));
                black_box(&output);
            }
            cpu_us = (cpu_time() - cpu) / times.len() as f64;
            times.sort_by(f64::total_cmp);
        }
        let least = times.first().copied().unwrap_or(0.0);
        let median = times.get(times.len() / 2).copied().unwrap_or(0.0);
        Ok(format!(
            r#"{{"n":{},"min_us":{least:.2},"median_us":{median:.2},"cpu_us":{cpu_us:.2},"max_abs_err":{:e},"max_rel_err":{:e},"load_us":{load_us:.1},"first_us":{first_us:.1},"first_done_unix_ns":{first_done},"read_gb_s":{fastest_read:.2}}}"#,
            times.len(),
            errors.absolute,
            errors.relative,
        ))
    }
}

/// The largest errors of single numbers, as the harness defines them.
#[derive(Default)]
struct Errors {
    absolute: f64,
    relative: f64,
}

impl Errors {
    fn add<Row: Tensor<Number = f32>>(&mut self, predicted: &[Row], expected: &[Row]) {
        for (&x, &e) in Row::flat(predicted).iter().zip(Row::flat(expected)) {
            let error = (f64::from(x) - f64::from(e)).abs();
            let error = if error.is_finite() { error } else { f64::MAX };
            self.absolute = self.absolute.max(error);
            self.relative = self.relative.max(error / f64::from(e.abs()).max(1e-6));
        }
    }
}

/// In as many sums as the processor can add at once, so that it waits for the memory alone.
fn sum(numbers: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 64];
    for chunk in numbers.as_chunks::<64>().0 {
        for (sum, number) in sums.iter_mut().zip(chunk) {
            *sum += number;
        }
    }
    sums.iter().sum()
}

fn microseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

/// The CPU time of all threads so far in microseconds, where Linux tells it; else 0.
fn cpu_time() -> f64 {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return 0.0 };
    let nanoseconds = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e3
}
