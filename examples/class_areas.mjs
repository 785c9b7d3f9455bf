// Class areas in a Node program: edge-arseg writes a JSON object for each frame, as soon as it is segmented.
//
//   node examples/class_areas.mjs rtsp://camera/stream pedestrian
//
// It prints the time of each frame in which the class has more than a hundredth of the picture.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const [source, name, ...options] = process.argv.slice(2);
if (name === undefined) {
  console.error("usage: node examples/class_areas.mjs SOURCE CLASS [OPTION OF edge-arseg run]...");
  process.exit(2);
}

const run = spawn("edge-arseg", ["run", source, "jsonl://-", "-q", ...options], {
  stdio: ["ignore", "pipe", "inherit"], // what goes wrong is told on stderr
});
run.on("error", (error) => {
  console.error(`edge-arseg cannot be started (${error.code}); is its environment active?`);
  process.exitCode = 1;
});
run.on("close", (code) => {
  process.exitCode ||= code ?? 1;
});
process.stdout.on("error", () => run.stdout.destroy()); // nobody reads any more, as behind `| head`
for await (const line of createInterface({ input: run.stdout })) {
  const frame = JSON.parse(line);
  if (!(name in frame.classes)) {
    console.error(`no class is called ${name}; known: ${Object.keys(frame.classes).join(", ")}`);
    run.kill();
    process.exitCode = 2;
    break;
  }
  if (frame.classes[name] > 0.01) {
    console.log(`${frame.time_s.toFixed(2)} s: ${(100 * frame.classes[name]).toFixed(1)} %`);
  }
}
