// use-guarded.ts - what a form does, with the error it ended in: forgotten when it is done again, kept when it fails. While it is being done, a second time is left out:
// Enter pressed twice makes one thing.
//   const { error, isBusy, guarded } = useGuarded();
//   const save = () => guarded(async () => { await put(...); toast("Saved", "good"); });
import { useRef, useState } from "preact/hooks";

export function useGuarded(): { error: unknown; isBusy: boolean; guarded: (run: () => unknown) => Promise<void> } {
    const [error, setError] = useState<unknown>();
    const [isBusy, setBusy] = useState(false);
    const isRunning = useRef(false); // at once, where isBusy waits for the next drawing
    const guarded = async (run: () => unknown) => {
        if (isRunning.current) return;
        isRunning.current = true;
        setError(undefined);
        setBusy(true);
        try {
            await run();
        } catch (e) {
            setError(e);
        } finally {
            isRunning.current = false;
            setBusy(false);
        }
    };
    return { error, isBusy, guarded };
}
