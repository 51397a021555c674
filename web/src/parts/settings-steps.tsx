// settings-steps.tsx - the steps of a test of the server's own settings: they come all at once, drawn as a connector's are.
import type { Step } from "../lib/types";
import { TestSteps } from "./test-steps";
import type { JobView } from "./jobs";

export interface SettingsTest {
    steps: Step[];
}

export function SettingsSteps({ test }: { test: SettingsTest }) {
    const view: JobView = {
        job: { id: 0, kind: "test", connector: "", by: "", state: "done", attempt: 0, queued: "" },
        steps: test.steps,
        phases: [],
        kinds: {},
        log: [],
        forgotten: 0,
        gaps: [],
        isUp: true,
        error: null,
    };
    return <TestSteps view={view} connector="settings" />;
}
