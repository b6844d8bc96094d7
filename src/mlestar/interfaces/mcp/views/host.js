// The view's side of MCP Apps (2026-01-26): JSON-RPC over postMessage with the host that embeds it.
const waiting = new Map();
let lastId = 0;
const host = {
  canCall: false,
  send: (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*"),
  request: (method, params) => new Promise((resolve, reject) => {
    const id = ++lastId;
    waiting.set(id, { resolve, reject });
    host.send({ id, method, params });
  }),
  call: (name, args) => host.request("tools/call", { name, arguments: args }),
  resized: () => host.send({ method: "ui/notifications/size-changed", params: { width: document.documentElement.scrollWidth, height: Math.ceil(document.body.getBoundingClientRect().height) } }),
};
function themed(context) {
  if (context?.theme) document.documentElement.dataset.theme = context.theme;
  for (const [name, value] of Object.entries(context?.styles?.variables ?? {})) if (name.startsWith("--")) document.documentElement.style.setProperty(name, value);
}
function connect(name, show) {
  if (matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.dataset.theme = "dark";
  const shown = (result) => { show(result?.structuredContent ?? {}, result); host.resized(); };
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || data?.jsonrpc !== "2.0") return;
    if (data.id !== undefined && !data.method) {
      const { resolve, reject } = waiting.get(data.id) ?? {};
      waiting.delete(data.id);
      return data.error ? reject?.(new Error(data.error.message)) : resolve?.(data.result);
    }
    if (data.method === "ui/notifications/tool-result") shown(data.params);
    else if (data.method === "ui/notifications/host-context-changed") themed(data.params);
    else if (data.method === "ping" || data.method === "ui/resource-teardown") host.send({ id: data.id, result: {} });
    else if (data.id !== undefined) host.send({ id: data.id, error: { code: -32601, message: "unknown method" } });
  });
  host.request("ui/initialize", { protocolVersion: "2026-01-26", appInfo: { name, version: "1" }, appCapabilities: {} }).then((answer) => {
    host.canCall = Boolean(answer.hostCapabilities?.serverTools);
    themed(answer.hostContext);
    host.send({ method: "ui/notifications/initialized", params: {} });
  });
  return shown;
}
// Elements are made one by one and filled with text only: what the data holds can never become markup.
function element(name, attributes = {}, ...children) {
  const svg = ["svg", "polygon", "line", "text", "rect", "title"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined).map((child) => child instanceof Node ? child : String(child)));
  return made;
}
function table(columns, rows) {
  const head = element("tr", {}, ...columns.map((column) => element("th", { scope: "col", class: column.number ? "number" : "" }, column.name)));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell, at) => element(at ? "td" : "th", { class: columns[at].number ? "number" : "", ...(at ? {} : { scope: "row" }) }, cell))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}
const figure = (value) => typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value ?? "");
const placeOf = (where) => (where?.path ?? "") + (where?.line != null ? `:${where.line}` : "") + (where?.column ? `#${where.column}` : "");
const tone = { pass: "good", succeeded: "good", fail: "bad", failed: "bad", error: "bad", partial: "warn", warn: "warn" };
