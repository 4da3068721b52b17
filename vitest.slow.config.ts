import config from '/work/wt-input/vitest.config.ts'
const slow = { ...config, root: '/work/wt-input', test: { ...config.test, hookTimeout: 500_000, testTimeout: 300_000 } }
slow.test.projects = slow.test.projects.slice(0, 1).map((p) => ({ ...p, extends: undefined, root: '/work/wt-input', test: { ...p.test, isolate: false, hookTimeout: 500_000, testTimeout: 300_000, expect: { poll: { timeout: 60_000 } } } }))
export default slow
