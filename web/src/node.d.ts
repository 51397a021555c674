// node.d.ts - as much of node as the tests use; the page itself runs in browsers only.
declare module "node:test" {
    export function test(name: string, run: () => void | Promise<void>): void;
}
declare module "node:assert/strict" {
    const assert: {
        equal(a: unknown, b: unknown, message?: string): void;
        deepEqual(a: unknown, b: unknown, message?: string): void;
        ok(value: unknown, message?: string): void;
    };
    export default assert;
}
declare module "node:child_process" {
    export function execFileSync(file: string, args: string[], options: { encoding: "buffer" }): { toString(encoding: string): string };
}
