// A host of MCP Apps on the official bridge: asks the page's own server, shows one tool's view, hands it the result.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { AppBridge, PostMessageTransport, getToolUiResourceUri } from "@modelcontextprotocol/ext-apps/app-bridge";

const asked = new URLSearchParams(location.search);
const name = asked.get("tool");
const given = JSON.parse(asked.get("arguments") ?? "{}");
const mimeTypes = ["text/html;profile=mcp-app"];
const client = new Client({ name: "host", version: "1" }, { capabilities: { extensions: { "io.modelcontextprotocol/ui": { mimeTypes } } } });
await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", location.href)));
const { tools } = await client.listTools();
const view = await client.readResource({ uri: getToolUiResourceUri(tools.find((tool) => tool.name === name)) });
const frame = document.getElementById("app");
const hostContext = { theme: asked.get("theme") ?? "light" };
const bridge = new AppBridge(client, { name: "host", version: "1" }, { openLinks: {}, serverTools: {}, logging: {} }, { hostContext });
bridge.onsizechange = ({ height }) => { frame.style.height = `${height}px`; };
bridge.oninitialized = async () => {
  await bridge.sendToolInput({ arguments: given });
  await bridge.sendToolResult(await client.callTool({ name, arguments: given }));
  frame.dataset.result = "sent";
};
await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
frame.srcdoc = view.contents[0].text;
