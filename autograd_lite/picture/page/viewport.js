"use strict";
/* Pan and zoom by wheel, drag, pinch and buttons. Knows the canvas's bounds, not what is in it. */

class Viewport {
  constructor(root, layer) {
    this.root = root;
    this.layer = layer;
    [this.x, this.y, this.scale] = [0, 0, 1];
    this.bounds = { left: 0, top: 0, right: 1, bottom: 1 };
    this.pointers = new Map();
    this.moved = 0;
    root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    root.addEventListener("pointerdown", (event) => this.press(event));
    root.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      root.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
  }

  get size() {
    const { width, height } = this.root.getBoundingClientRect();
    return [width, height];
  }

  apply() {
    const at = `translate(${this.x.toFixed(2)} ${this.y.toFixed(2)}) scale(${this.scale.toFixed(4)})`;
    this.layer.setAttribute("transform", at);
  }

  /** All of it in sight, unless that would make it too small to read. */
  fit(least = 0.9) {
    const [width, height] = this.size;
    const { left, top, right, bottom } = this.bounds;
    const margin = Math.min(32, width / 16);
    const all = Math.min((width - 2 * margin) / (right - left), (height - 2 * margin) / (bottom - top));
    this.scale = Math.min(1.6, Math.max(all, least));
    const spare = (room, low, high) =>
      (high - low) * this.scale > room - 2 * margin
        ? margin - low * this.scale
        : (room - (low + high) * this.scale) / 2;
    this.x = spare(width, left, right);
    this.y = (bottom - top) * this.scale > height - 2 * margin
      ? (height - (top + bottom) * this.scale) / 2
      : spare(height, top, bottom);
    this.apply();
  }

  zoom(factor, at = this.size.map((side) => side / 2)) {
    const scale = Math.min(8, Math.max(0.04, this.scale * factor));
    this.x = at[0] - ((at[0] - this.x) * scale) / this.scale;
    this.y = at[1] - ((at[1] - this.y) * scale) / this.scale;
    this.scale = scale;
    this.apply();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.apply();
  }

  /** Bring a point of the picture into sight, with room around it. */
  show([x, y], smooth = false) {
    const [width, height] = this.size;
    const margin = Math.min(170, width / 3, height / 3);
    const at = [this.x + x * this.scale, this.y + y * this.scale];
    const inside = (value, room) => Math.min(Math.max(value, margin), room - margin);
    const [dx, dy] = [inside(at[0], width) - at[0], inside(at[1], height) - at[1]];
    if (!dx && !dy) return;
    this.glide(dx, dy, smooth);
  }

  glide(dx, dy, smooth) {
    cancelAnimationFrame(this.gliding);
    if (!smooth) {
      this.pan(dx, dy);
      return;
    }
    const [x, y, start] = [this.x, this.y, performance.now()];
    const frame = (now) => {
      const t = Math.min(1, (now - start) / 260);
      const eased = 1 - (1 - t) ** 3;
      [this.x, this.y] = [x + dx * eased, y + dy * eased];
      this.apply();
      if (t < 1) this.gliding = requestAnimationFrame(frame);
    };
    this.gliding = requestAnimationFrame(frame);
  }

  local(event) {
    const { left, top } = this.root.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  wheel(event) {
    event.preventDefault();
    if (event.shiftKey) this.pan(-event.deltaY, 0);
    else if (event.ctrlKey || Math.abs(event.deltaX) < Math.abs(event.deltaY)) {
      const step = Math.max(-60, Math.min(60, event.deltaY));
      this.zoom(Math.exp(-step * (event.ctrlKey ? 0.01 : 0.004)), this.local(event));
    } else this.pan(-event.deltaX, 0);
  }

  press(event) {
    cancelAnimationFrame(this.gliding);
    this.pointers.set(event.pointerId, this.local(event));
    this.moved = 0;
  }

  /** One pointer pans, two zoom about their middle. */
  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.local(event);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    this.pointers.set(event.pointerId, now);
    this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (this.moved > 4 && !this.root.hasPointerCapture(event.pointerId)) {
      this.root.setPointerCapture(event.pointerId);
    }
    if (!others.length) {
      this.pan(now[0] - before[0], now[1] - before[1]);
      return;
    }
    const [ox, oy] = others[0];
    const apart = ([x, y]) => Math.hypot(x - ox, y - oy) || 1;
    this.zoom(apart(now) / apart(before), [(now[0] + ox) / 2, (now[1] + oy) / 2]);
    this.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  }
}
