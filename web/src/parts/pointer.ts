// pointer.ts - waits until no button of the pointer is down. What a field says when it is left moves what stands below it: told between press and release, the press on
// "Next" that left the field would end beside the button and be lost.
let isDown = false;
const waiting: (() => void)[] = [];

function release(event: Event): void {
    if (event.type === "blur" && event.target !== window) return; // of a field: not of the window
    isDown = false;
    // After the click, which comes behind the release.
    setTimeout(() => waiting.splice(0).forEach((run) => run()), 0);
}

addEventListener("pointerdown", () => (isDown = true), true);
for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, release, true);

export function whenReleased(run: () => void): void {
    if (isDown) waiting.push(run);
    else run();
}
