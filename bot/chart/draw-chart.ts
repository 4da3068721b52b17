import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Resvg } from '@resvg/resvg-wasm'
import { toChartSpec } from './to-chart-spec.ts'
import type { Chart } from './to-chart-spec.ts'

/** A drawn chart: a PNG for high-resolution screens. */
export type Picture = { png: Uint8Array; width: number; height: number }

type Tools = { toSvg(chart: Chart): Promise<string>; Renderer: typeof Resvg; fonts: Uint8Array[] }

/** Width of DejaVu Sans' letters on average, in parts of their size. */
const meanLetter = 0.6

/** Loaded when the first chart is drawn, for most processes never draw one: half a second, 3 MB of WebAssembly, 1.4 MB of fonts. */
let tools: Promise<Tools> | undefined

/** Draws a chart. The same chart gives the same bytes on every machine: fonts and renderer are ours. */
export async function drawChart(chart: Chart): Promise<Picture> {
  tools ??= loadTools()
  const { toSvg, Renderer, fonts } = await tools.catch((error: unknown) => {
    tools = undefined
    throw error
  })
  const renderer = new Renderer(await toSvg(chart), {
    background: 'white',
    fitTo: { mode: 'zoom', value: 2 },
    font: { fontBuffers: fonts, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' },
  })
  const image = renderer.render()
  try {
    return { png: image.asPng(), width: image.width, height: image.height }
  } finally {
    image.free()
    renderer.free()
  }
}

async function loadTools(): Promise<Tools> {
  const [vega, { compile }, { Resvg: Renderer, initWasm }, wasm, ...fonts] = await Promise.all([
    import('vega'),
    import('vega-lite'),
    import('@resvg/resvg-wasm'),
    readPackaged('@resvg/resvg-wasm/index_bg.wasm'),
    readPackaged('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
    readPackaged('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
  ])
  await initWasm(wasm).catch((error: unknown) => {
    // Started by another copy of this module in the same process.
    if (!/already initialized/i.test(String(error))) throw error
  })
  // Without a canvas Vega takes every letter for a wide one. Its types leave this out, though it is there to be set.
  const { textMetrics } = vega as unknown as { textMetrics: { width(item: { fontSize?: number }, text: unknown): number } }
  textMetrics.width = (item, text) => [...String(text)].length * (item.fontSize ?? 11) * meanLetter
  const toSvg = async (chart: Chart) => {
    const view = new vega.View(vega.parse(compile(toChartSpec(chart)).spec), { renderer: 'none', logLevel: vega.Error })
    try {
      return await view.toSVG()
    } finally {
      view.finalize()
    }
  }
  return { toSvg, Renderer, fonts }
}

async function readPackaged(file: string): Promise<Buffer<ArrayBuffer>> {
  return await readFile(fileURLToPath(import.meta.resolve(file)))
}
