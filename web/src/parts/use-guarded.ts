// use-guarded.ts - what a form does, with the error it ended in: forgotten when it is done again, kept when it fails.
//   const { error, isBusy, guarded } = useGuarded();
//   const save = () => guarded(async () => { await put(...); toast("Saved", "good"); });
import { useState } from "preact/hooks";

export function useGuarded(): { error: unknown; isBusy: boolean; guarded: (run: () => unknown) => Promise<void> } {
    const [error, setError] = useState<unknown>();
    const [isBusy, setBusy] = useState(false);
    const guarded = async (run: () => unknown) => {
        setError(undefined);
        setBusy(true);
        try {
            await run();
        } catch (e) {
            setError(e);
        } finally {
            setBusy(false);
        }
    };
    return { error, isBusy, guarded };
}
