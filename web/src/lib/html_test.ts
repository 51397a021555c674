import assert from "node:assert/strict";
import { test } from "node:test";
import { htmlElements, unescape } from "./html";

// As text: <tag attr="...">...</tag>, so that what is kept can be read.
function told(nodes: unknown[]): string {
    return nodes.map((n) => {
        if (typeof n !== "object" || n === null) return String(n ?? "");
        const v = n as { type: string; props: Record<string, unknown> };
        const { children, ...rest } = v.props;
        const attributes = Object.entries(rest).map(([k, x]) => ` ${k}="${String(x)}"`).join("");
        return `<${v.type}${attributes}>${told(Array.isArray(children) ? children : children === undefined ? [] : [children])}</${v.type}>`;
    }).join("");
}
const inside = (href: string) => (href.startsWith("#") ? "#/help/x" + href.slice(1) : null);
const cases: [string, string][] = [
    ["<p>a &amp; <b>b</b></p>", "<p>a & <b>b</b></p>"],
    ["<p>one<p>two", "<p>one<p>two</p></p>"],
    ["<script>alert(1)</script>x", "x"],
    ["<SCRIPT >alert(1)</SCRIPT >x", "x"],
    ["<img src=x onerror=alert(1)>x", "x"],
    ["<svg onload=alert(1)>x</svg>", "x"],
    ["<b onclick='alert(1)' style=x>y</b>", "<b>y</b>"],
    ['<a href="javascript:alert(1)">y</a>', "<a>y</a>"],
    ['<a href="#OPTIONS">y</a>', '<a href="#/help/xOPTIONS">y</a>'],
    ['<h2 id="A&quot;B">y</h2>', '<h2 id="doc-A-B">y</h2>'],
    ["</b></p>x", "x"],
    ["a < b", "a < b"],
    ["<!-- <b>no</b> -->yes", "yes"],
    ["&lt;script&gt;", "<script>"],
    ["<b title='>'>x</b>", "<b>x</b>"],
];
for (const [html, want] of cases) test(html, () => assert.equal(told(htmlElements(html, inside)), want));

test("depth is bounded", () => assert.ok(told(htmlElements("<div>".repeat(100_000) + "x", inside)).length < 2000));
test("entities", () => assert.equal(unescape("&#60;&#x3e;&nbsp;&unknown;&#xd800;&#0;"), "<>\u00a0&unknown;\ufffd\ufffd"));
