// Draws the newest frame and what is told of the run. One binary message is one frame: the length of a JSON head, the
// head, a JPEG, and the deflated class map. The classes are mixed in here, so that each viewer chooses its own.
"use strict"

const $ = id => document.getElementById(id)
const KEPT = 600
const WORDS = {
  starting: "starting", waiting: "waiting for the source", running: "running", stalled: "stalled", lost: "not connected",
  failed: "no pictures: encoding failed", ended: "the run has ended", refused: "the token is not valid any more",
}
const kept = JSON.parse(localStorage.getItem("edge-arseg") || "{}")
const off = new Set(kept.off || [])
const state = { classes: [], rows: [], frame: null, paused: false, shown: 0, ages: [], greetings: 0 }
const layer = document.createElement("canvas")
window.watched = state  // for whoever measures

function keep() {
  const values = { off: [...off], alpha: kept.alpha, borders: kept.borders }
  localStorage.setItem("edge-arseg", JSON.stringify(values))
}

function text(id, value, unit) {
  const place = $(id)
  place.textContent = value
  if (unit) place.append(Object.assign(document.createElement("small"), { textContent: ` ${unit}` }))
}

function say(name) {
  $("state").dataset.state = name
  $("state").textContent = WORDS[name] || name
  $("cover").textContent = name === "running" ? "waiting for the first frame" : WORDS[name]
  $("cover").hidden = state.frame !== null && ["running", "waiting", "starting"].includes(name)
}

// What comes behind a greeting may be of another run, whose frames are numbered from 1 again.
function greet(told) {
  state.greetings += 1
  state.rows = []
  if (state.frame) state.frame.picture.close()
  state.frame = null
  say("starting")
  $("source").textContent = told.source || "edge-arseg"
  $("run").textContent = [told.bundle, told.label].filter(Boolean).join(" · ")
  document.title = told.source ? `${told.source} · edge-arseg` : "edge-arseg"
  state.classes = told.classes
  if (kept.alpha === undefined) $("alpha").value = told.alpha
  $("classes").replaceChildren(...told.classes.map((one, index) => {
    const row = document.createElement("li"), label = document.createElement("label")
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: !off.has(one.name) })
    const swatch = Object.assign(document.createElement("span"), { className: "swatch" })
    swatch.style.background = `rgb(${one.color.join(" ")})`
    const name = Object.assign(document.createElement("span"), { className: "name", textContent: one.name })
    const share = Object.assign(document.createElement("span"), { className: "share", textContent: "–" })
    const meter = Object.assign(document.createElement("meter"), { max: 1, value: 0 })
    meter.setAttribute("aria-label", `share of ${one.name}`)
    box.addEventListener("change", () => toggle([index], box.checked))
    label.append(box, swatch, name, share, meter)
    row.append(label)
    Object.assign(one, { box, share, meter })
    return row
  }))
}

function toggle(indices, on) {
  for (const index of indices) {
    const one = state.classes[index]
    one.box.checked = on
    if (on) off.delete(one.name); else off.add(one.name)
  }
  keep()
  mix()
  draw()
}

function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`
}

function tell(told) {
  text("fps", told.fps.toFixed(1))
  text("dropped", told.dropped.toLocaleString("en"))
  $("power").hidden = told.watts === null
  if (told.watts !== null) text("watts", told.watts.toFixed(1), "W")
  $("count").textContent = `${counted(told.frames, "frame")}, ${counted(told.keyframes, "keyframe")}`
    + (told.late ? `, ${told.late.toLocaleString("en")} too late` : "")
  $("viewers").textContent = counted(told.viewers, "viewer")
  state.rows = state.rows.concat(told.rows).slice(-KEPT)
  say(told.state)
  line()
}

function facts(head) {
  text("latency", head.latency_ms.toFixed(0), "ms")
  if (head.age_ms === null) text("age", "–"); else text("age", head.age_ms.toFixed(0), "ms")
  text("distance", head.distance, head.distance === 1 ? "frame" : "frames")
  head.areas.forEach((share, index) => {
    const one = state.classes[index]
    if (!one) return
    one.share.textContent = share && share < 0.001 ? "<0.1 %" : `${(100 * share).toFixed(1)} %`
    one.meter.value = share
  })
}

// The class map as a picture of its own: the colour of each class that is on, and lines where classes meet.
function mix() {
  const frame = state.frame
  if (!frame) return
  const [rows, columns] = frame.head.map, map = frame.map
  if (layer.width !== columns || layer.height !== rows) Object.assign(layer, { width: columns, height: rows })
  const context = layer.getContext("2d"), image = context.createImageData(columns, rows)
  const pixels = new Uint32Array(image.data.buffer)
  const alpha = Number($("alpha").value), edge = $("borders").checked
  const solid = new Uint32Array(256), thin = new Uint32Array(256)
  state.classes.forEach((one, index) => {
    if (off.has(one.name)) return
    const [r, g, b] = one.color, color = (b << 16) | (g << 8) | r
    thin[index] = ((Math.round(255 * alpha) << 24) | color) >>> 0
    solid[index] = ((Math.round(255 * Math.min(1, alpha * 1.9)) << 24) | color) >>> 0
  })
  for (let y = 0, at = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, at++) {
      const here = map[at]
      const meets = edge && ((x + 1 < columns && map[at + 1] !== here) || (y + 1 < rows && map[at + columns] !== here))
      pixels[at] = meets ? solid[here] : thin[here]
    }
  }
  context.putImageData(image, 0, 0)
}

function draw() {
  const frame = state.frame
  if (!frame) return
  const canvas = $("picture"), { picture, head } = frame
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    Object.assign(canvas, { width: picture.width, height: picture.height })
  }
  const context = canvas.getContext("2d", { alpha: false })
  context.drawImage(picture, 0, 0)
  const [left, top, width, height] = head.place
  context.drawImage(layer, left * canvas.width, top * canvas.height, width * canvas.width, height * canvas.height)
}

function line() {
  const canvas = $("timeline"), ratio = window.devicePixelRatio || 1
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio)
  if (!width) return
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement)
  const color = name => style.getPropertyValue(name).trim()
  context.clearRect(0, 0, width, height)
  const step = Math.max(3, Math.round(4 * ratio)), fit = Math.floor(width / step), rows = state.rows.slice(-fit)
  const sorted = rows.map(row => row[1]).sort((a, b) => a - b)
  const most = Math.max(10, 1.15 * (sorted[Math.floor(sorted.length * 0.99)] || 0)), foot = height - 14 * ratio
  context.font = `${11 * ratio}px system-ui, sans-serif`
  context.strokeStyle = color("--line")
  context.lineWidth = ratio
  const grid = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find(value => most / value <= 3) || 10000
  for (let ms = grid; ms < most; ms += grid) {
    const y = Math.round(foot * (1 - ms / most)) + 0.5
    context.beginPath(); context.moveTo(0, y); context.lineTo(width, y); context.stroke()
  }
  const hr = color("--hr"), lr = color("--lr"), drop = color("--drop")
  rows.forEach(([key, ms, , dropped], at) => {
    const x = width - (rows.length - at) * step, tall = Math.max(2, foot * Math.min(1, ms / most))
    context.fillStyle = key ? hr : lr
    context.fillRect(x, foot - tall, step - ratio, tall)
    if (dropped) { context.fillStyle = drop; context.fillRect(x, foot + 4 * ratio, step - ratio, 6 * ratio) }
  })
  context.fillStyle = color("--soft")
  for (let ms = grid; ms < most; ms += grid) {
    context.fillText(`${ms} ms`, 3 * ratio, Math.round(foot * (1 - ms / most)) - 3 * ratio)
  }
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

async function show(buffer) {
  const length = new DataView(buffer).getUint32(0, true), body = 4 + length
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)))
  const greetings = state.greetings
  tell(head)
  if (state.paused) return
  const jpeg = new Blob([new Uint8Array(buffer, body, head.jpeg)], { type: "image/jpeg" })
  const [picture, map] = await Promise.all([
    createImageBitmap(jpeg), inflated(new Uint8Array(buffer, body + head.jpeg)),
  ])
  if (state.greetings !== greetings) return picture.close()
  if (state.frame && state.frame.head.serial > head.serial) return picture.close()
  if (state.frame) state.frame.picture.close()
  state.frame = { head, picture, map }
  facts(head)
  mix()
  draw()
  $("cover").hidden = true
  state.shown += 1
  state.ages.push(Date.now() - head.made_ms)
  if (state.ages.length > KEPT) state.ages.shift()
}

let pause = 500

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/watch`)
  socket.binaryType = "arraybuffer"
  socket.addEventListener("message", async event => {
    pause = 500
    if (typeof event.data === "string") {
      const told = JSON.parse(event.data)
      if (told.classes) greet(told); else tell(told)
      return
    }
    try { await show(event.data) } finally {
      // A hidden page shows nothing, so it asks for nothing: the answer waits until it is seen again.
      requestAnimationFrame(() => socket.readyState === WebSocket.OPEN && socket.send("shown"))
    }
  })
  socket.addEventListener("close", event => {
    if (event.code === 4401) return say("refused")
    const ended = event.code === 1001 || event.code === 1012
    if (ended || $("state").dataset.state !== "ended") say(ended ? "ended" : "lost")
    setTimeout(connect, pause)
    pause = Math.min(2 * pause, 10000)
  })
}

for (const id of ["alpha", "borders"]) {
  $(id).addEventListener("input", () => {
    kept[id] = id === "alpha" ? $(id).value : $(id).checked
    keep()
    mix()
    draw()
  })
}
$("all").addEventListener("click", () => toggle(state.classes.keys(), true))
$("none").addEventListener("click", () => toggle(state.classes.keys(), false))
$("pause").addEventListener("click", () => {
  state.paused = !state.paused
  $("pause").setAttribute("aria-pressed", state.paused)
})
$("full").addEventListener("click", () => document.fullscreenElement
  ? document.exitFullscreen() : document.querySelector(".stage").requestFullscreen())
$("picture").addEventListener("pointermove", event => {
  const frame = state.frame, box = $("picture").getBoundingClientRect()
  if (!frame) return
  const scale = Math.min(box.width / frame.picture.width, box.height / frame.picture.height)
  const u = (event.clientX - box.left - (box.width - scale * frame.picture.width) / 2) / (scale * frame.picture.width)
  const v = (event.clientY - box.top - (box.height - scale * frame.picture.height) / 2) / (scale * frame.picture.height)
  const [left, top, width, height] = frame.head.place, [rows, columns] = frame.head.map
  const x = Math.floor((u - left) / width * columns), y = Math.floor((v - top) / height * rows)
  const one = x >= 0 && y >= 0 && x < columns && y < rows && state.classes[frame.map[y * columns + x]]
  $("under").hidden = !one
  if (one) $("under").textContent = one.name
})
$("picture").addEventListener("pointerleave", () => { $("under").hidden = true })
window.addEventListener("resize", line)
if (kept.alpha !== undefined) $("alpha").value = kept.alpha
if (kept.borders !== undefined) $("borders").checked = kept.borders
connect()
