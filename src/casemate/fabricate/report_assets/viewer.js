"use strict";
// Orbit viewer of the report: prisms in WebGL 1, picking by colour, no library, no network.
(function () {
  const data = JSON.parse(document.getElementById("viewer-data").textContent);
  const stage = document.getElementById("stage"), still = stage.querySelector("svg");
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl", { antialias: true, preserveDrawingBuffer: true });
  if (!gl || !data.parts.length) return; // the still picture stays
  still.style.display = "none";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", "Enclosure in three dimensions");
  canvas.setAttribute("aria-describedby", "viewer-help");
  stage.appendChild(canvas);
  document.getElementById("tools").hidden = document.getElementById("viewer-help").hidden = false;

  const COLOURS = { tile: [.17, .48, .37, 1], strip: [.69, .48, .16, 1], vent: [.55, .58, .62, 1], sleeve: [.77, .52, .24, 1], window: [.5, .71, .86, .55] };
  const TILE = ["tile", "strip"];
  const reach = Math.hypot(...data.size), centre = data.size.map((v) => v / 2);
  const HOME = { turn: 0.66, tilt: 0.45, zoom: 1.0 };
  const view = { ...HOME, explode: 0, chosen: -1, byShare: false };

  function shader(type, source) {
    const made = gl.createShader(type);
    gl.shaderSource(made, source);
    gl.compileShader(made);
    if (!gl.getShaderParameter(made, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(made));
    return made;
  }
  const program = gl.createProgram();
  gl.attachShader(program, shader(gl.VERTEX_SHADER, `
    attribute vec3 place; attribute vec3 normal;
    uniform mat4 camera, model; uniform vec3 shift;
    varying vec3 n; varying vec2 flat_; varying float side;
    void main() {
      n = mat3(model) * normal; flat_ = place.xy; side = abs(normal.z);
      gl_Position = camera * (model * vec4(place, 1.0) + vec4(shift, 0.0));
    }`));
  gl.attachShader(program, shader(gl.FRAGMENT_SHADER, `
    precision highp float;
    uniform vec4 colour; uniform vec3 light; uniform float raw, cell, mesh;
    varying vec3 n; varying vec2 flat_; varying float side;
    float comb(vec2 p) { // 0 inside a hexagon, 1 on its wall
      vec2 s = vec2(1.0, 1.7320508);
      vec2 a = mod(p, s) - s * 0.5, b = mod(p - s * 0.5, s) - s * 0.5;
      vec2 g = abs(dot(a, a) < dot(b, b) ? a : b);
      return step(0.42, max(g.x, dot(g, normalize(s))));
    }
    void main() {
      if (raw > 0.5) { gl_FragColor = colour; return; }
      float shade = 0.62 + 0.38 * max(0.0, dot(normalize(n), light));
      vec3 base = colour.rgb;
      if (cell > 0.0 && side > 0.5) base = mix(vec3(0.16, 0.18, 0.21), base, comb(flat_ / cell));
      if (mesh > 0.0 && side > 0.5) {
        float line = abs(fract(flat_.y / mesh) - 0.5);
        base = mix(base, vec3(0.85, 0.71, 0.45), 0.34 * smoothstep(0.40, 0.46, line));
      }
      gl_FragColor = vec4(base * shade, colour.a);
    }`));
  gl.linkProgram(program);
  gl.useProgram(program);
  const at = {};
  for (const name of ["camera", "model", "shift", "colour", "light", "raw", "cell", "mesh"]) at[name] = gl.getUniformLocation(program, name);
  const slots = ["place", "normal"].map((name) => gl.getAttribLocation(program, name));

  function build(part) {
    const points = [], out = [], edges = [];
    for (const ring of part.rings) for (let i = 0; i < ring.length; i += 2) points.push([ring[i], ring[i + 1]]);
    const [low, high] = part.z;
    const put = (p, z, n) => out.push(p[0], p[1], z, n[0], n[1], n[2]);
    for (let i = 0; i < part.tris.length; i += 3) {
      const [a, b, c] = [0, 1, 2].map((k) => points[part.tris[i + k]]);
      for (const p of [a, b, c]) put(p, high, [0, 0, 1]);
      for (const p of [c, b, a]) put(p, low, [0, 0, -1]);
    }
    let start = 0;
    for (const ring of part.rings) {
      const count = ring.length / 2;
      for (let i = 0; i < count; i++) {
        const a = points[start + i], b = points[start + (i + 1) % count];
        const d = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1, n = [(b[1] - a[1]) / d, (a[0] - b[0]) / d, 0];
        for (const [p, z] of [[a, low], [b, low], [b, high], [a, low], [b, high], [a, high]]) put(p, z, n);
        for (const z of [low, high]) for (const p of [a, b]) edges.push(p[0], p[1], z + (z === high ? 1 : -1) * reach * 2e-4, 0, 0, 1);
      }
      start += count;
    }
    const buffer = (list) => {
      const made = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, made);
      gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(list), gl.STATIC_DRAW);
      return { made, count: list.length / 6 };
    };
    return { ...part, solid: buffer(out), lines: buffer(edges), out: part.out };
  }
  const parts = data.parts.map(build);

  function multiply(a, b) {
    const m = new Array(16).fill(0);
    for (let c = 0; c < 4; c++) for (let r = 0; r < 4; r++) for (let k = 0; k < 4; k++) m[c * 4 + r] += a[k * 4 + r] * b[c * 4 + k];
    return m;
  }
  function camera() {
    const [ct, st, ce, se] = [Math.cos(view.turn), Math.sin(view.turn), Math.cos(view.tilt), Math.sin(view.tilt)];
    const right = [ct, st, 0], toward = [st * ce, -ct * ce, se], up = [-st * se, ct * se, ce];
    const far = reach * (1.75 + 0.8 * view.explode) / view.zoom, dot = (v) => v[0] * centre[0] + v[1] * centre[1] + v[2] * centre[2];
    const look = [right[0], up[0], toward[0], 0, right[1], up[1], toward[1], 0, right[2], up[2], toward[2], 0, -dot(right), -dot(up), -dot(toward) - far, 1];
    const f = 3.1 * Math.min(1, canvas.width / canvas.height), near = far * 0.02, end = far + reach * 4;
    const lens = [f * canvas.height / canvas.width, 0, 0, 0, 0, f, 0, 0, 0, 0, (end + near) / (near - end), -1, 0, 0, 2 * end * near / (near - end), 0];
    gl.uniform3fv(at.light, [0, 1, 2].map((i) => 0.45 * up[i] + 0.75 * toward[i] + 0.3 * right[i]));
    return multiply(lens, look);
  }
  function shareColour(share) {
    if (share === null || share === undefined) return [.6, .63, .66, 1];
    if (share > 1) return [.84, .27, .13, 1];
    const t = Math.max(0, Math.min(1, (share - 0.5) * 2));
    return [.84 - .77 * t, .91 - .72 * t, .96 - .6 * t, 1];
  }
  function bind(buffer) {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer.made);
    slots.forEach((slot, i) => { gl.enableVertexAttribArray(slot); gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, 24, i * 12); });
  }
  function draw(picking) {
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    gl.viewport(0, 0, w, h);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.uniformMatrix4fv(at.camera, false, new Float32Array(camera()));
    const order = parts.map((_, i) => i).sort((a, b) => (parts[a].kind === "window") - (parts[b].kind === "window") || a - b);
    for (const i of order) {
      const part = parts[i], far = view.explode * reach * (TILE.includes(part.kind) ? 0.25 : 0.34);
      gl.uniformMatrix4fv(at.model, false, new Float32Array(part.m));
      gl.uniform3fv(at.shift, part.out.map((v) => v * far));
      gl.uniform1f(at.raw, picking ? 1 : 0);
      gl.uniform1f(at.cell, part.cell ? Math.max(part.cell, reach / 60) : 0);
      gl.uniform1f(at.mesh, part.kind === "tile" && !view.byShare ? reach / 90 : 0);
      let colour = picking ? [((i + 1) & 255) / 255, ((i + 1) >> 8) / 255, 0, 1] : COLOURS[part.kind];
      if (!picking && view.byShare) colour = TILE.includes(part.kind) ? shareColour(part.share) : [.8, .82, .84, 1];
      if (!picking && i === view.chosen) colour = [.95, .66, .2, 1];
      if (colour[3] < 1) { gl.enable(gl.BLEND); gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA); } else gl.disable(gl.BLEND);
      gl.uniform4fv(at.colour, colour);
      bind(part.solid);
      gl.drawArrays(gl.TRIANGLES, 0, part.solid.count);
      if (picking) continue;
      gl.uniform1f(at.raw, 1);
      gl.uniform4fv(at.colour, [.04, .14, .11, 1]);
      bind(part.lines);
      gl.drawArrays(gl.LINES, 0, part.lines.count);
    }
  }
  let waiting = false;
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(false); });
  }

  const list = document.getElementById("part"), info = document.getElementById("info");
  parts.forEach((part, i) => list.add(new Option(`${part.id} (${part.kind})`, i)));
  function choose(index) {
    view.chosen = index;
    list.value = index;
    info.textContent = "";
    if (index >= 0) for (const [key, value] of [["part", parts[index].id], ...parts[index].info]) {
      for (const [tag, text] of [["dt", key], ["dd", value]]) info.appendChild(Object.assign(document.createElement(tag), { textContent: text }));
    }
    redraw();
  }
  function pick(event) {
    draw(true);
    const box = canvas.getBoundingClientRect(), pixel = new Uint8Array(4);
    const x = (event.clientX - box.left) / box.width * canvas.width, y = (1 - (event.clientY - box.top) / box.height) * canvas.height;
    gl.readPixels(Math.round(x), Math.round(y), 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    choose(pixel[0] + 256 * pixel[1] - 1);
  }
  let drag = null;
  canvas.addEventListener("pointerdown", (e) => { drag = { x: e.clientX, y: e.clientY, moved: 0 }; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointermove", (e) => {
    if (!drag) return;
    const [dx, dy] = [e.clientX - drag.x, e.clientY - drag.y];
    drag = { x: e.clientX, y: e.clientY, moved: drag.moved + Math.abs(dx) + Math.abs(dy) };
    turn(-dx * 0.008, dy * 0.008);
  });
  canvas.addEventListener("pointerup", (e) => { if (drag && drag.moved < 5) pick(e); drag = null; });
  function turn(by, tilt) {
    view.turn += by;
    view.tilt = Math.max(-1.55, Math.min(1.55, view.tilt + tilt));
    redraw();
  }
  function zoom(by) { view.zoom = Math.max(0.4, Math.min(12, view.zoom * by)); redraw(); }
  canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoom(Math.exp(-e.deltaY * 0.001)); }, { passive: false });
  const KEYS = { ArrowLeft: () => turn(-.12, 0), ArrowRight: () => turn(.12, 0), ArrowUp: () => turn(0, .12), ArrowDown: () => turn(0, -.12), "+": () => zoom(1.15), "=": () => zoom(1.15), "-": () => zoom(1 / 1.15) };
  canvas.addEventListener("keydown", (e) => { if (KEYS[e.key]) { e.preventDefault(); KEYS[e.key](); } });
  document.getElementById("explode").addEventListener("input", (e) => { view.explode = e.target.value / 100; redraw(); });
  document.getElementById("colour").addEventListener("change", (e) => { view.byShare = e.target.value === "share"; redraw(); });
  list.addEventListener("change", () => choose(Number(list.value)));
  document.getElementById("reset").addEventListener("click", () => { Object.assign(view, HOME, { explode: 0 }); document.getElementById("explode").value = 0; choose(-1); });
  window.addEventListener("resize", redraw);
  redraw();
})();
