import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawChart } from './draw-chart.ts'
import type { Chart } from './to-chart-spec.ts'

const weeks: Chart = {
  kind: 'bar',
  title: 'Opened and merged, by week',
  unit: 'count',
  labels: ['2 Nov', '9 Nov', '16 Nov'],
  series: [{ name: 'opened', values: [8, 12, 3] }, { name: 'merged', values: [6, 10, 9] }],
}

/** The pixels of a PNG of 8-bit RGBA without interlacing, which is what is drawn here. */
function decode(png: Uint8Array): { width: number; height: number; at(x: number, y: number): string; count(colour: string): number } {
  const bytes = Buffer.from(png)
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\u0089PNG\r\n\u001a\n')
  const width = bytes.readUInt32BE(16)
  const height = bytes.readUInt32BE(20)
  expect([...bytes.subarray(24, 29)]).toEqual([8, 6, 0, 0, 0])
  const data: Buffer[] = []
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)))
  }
  const raw = inflateSync(Buffer.concat(data))
  const size = width * 4
  const pixels = Buffer.alloc(size * height)
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (size + 1)]
    for (let x = 0; x < size; x++) {
      const left = x < 4 ? 0 : (pixels[y * size + x - 4] ?? 0)
      const up = y === 0 ? 0 : (pixels[(y - 1) * size + x] ?? 0)
      const corner = x < 4 || y === 0 ? 0 : (pixels[(y - 1) * size + x - 4] ?? 0)
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0
      pixels[y * size + x] = (raw[y * (size + 1) + 1 + x] ?? 0) + guess
    }
  }
  const at = (x: number, y: number) => `#${pixels.toString('hex', y * size + x * 4, y * size + x * 4 + 3)}`
  return {
    width,
    height,
    at,
    count: (colour) => Array.from({ length: width * height }, (_, place) => at(place % width, Math.floor(place / width))).filter((pixel) => pixel === colour).length,
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}

describe('drawChart', () => {
  it('draws on a white ground, each series in its colour, as large as its values', async () => {
    const picture = await drawChart(weeks)
    const pixels = decode(picture.png)
    expect([pixels.width, pixels.height]).toEqual([picture.width, picture.height])
    expect(pixels.at(0, 0)).toBe('#ffffff')
    const [opened, merged] = [pixels.count('#1f4e9c'), pixels.count('#f0a202')]
    // 23 against 25, for the bars are of one width.
    expect(opened / merged).toBeCloseTo(23 / 25, 1)
    // The words of the title, the legend and the axes.
    expect(pixels.count('#1d1c1d')).toBeGreaterThan(1000)
  })

  it('gives the same bytes for the same chart', async () => {
    const [one, two] = await Promise.all([drawChart(weeks), drawChart(structuredClone(weeks))])
    expect(Buffer.from(one.png).equals(Buffer.from(two.png))).toBe(true)
    expect(Buffer.from(one.png).equals(Buffer.from((await drawChart({ ...weeks, title: 'Another' })).png))).toBe(false)
  })

  it('draws lines that differ in more than their colour', async () => {
    const line = (values: number[][]): Chart => ({ ...weeks, kind: 'line', series: values.map((of, at) => ({ name: `s${at}`, values: of })) })
    const pixels = decode((await drawChart(line([[1, 2, 3], [3, 2, 1]]))).png)
    // Of the same length, but the second is dashed.
    expect(pixels.count('#f0a202')).toBeGreaterThan(500)
    expect(pixels.count('#f0a202') / pixels.count('#1f4e9c')).toBeLessThan(0.95)
  })

  it('draws values that are next to nothing, or differ by as little', async () => {
    for (const values of [[5e-324, -5e-324], [1e9, 1e9 + 1e-6]]) {
      for (const kind of ['bar', 'line'] as const) expect((await drawChart({ ...weeks, kind, series: [{ name: 's', values }] })).height).toBeGreaterThan(100)
    }
  })

  it('draws whatever people wrote, and obeys none of it', async () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '</text><script>alert(1)</script>', '&amp;"\'', '\u202Eabc', '<image href="http://127.0.0.1:1/x.png"/>', '=1+1', '__proto__', 'constructor', '\u0000', '\uD800'))
    const chart = fc.record({
      kind: fc.constantFrom('bar' as const, 'line' as const),
      title: texts,
      unit: fc.constantFrom('count' as const, 'hours' as const, 'days' as const, 'percent' as const),
      labels: fc.array(texts, { maxLength: 5 }),
      series: fc.array(fc.record({ name: texts, values: fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { maxLength: 5 }) }), { maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(chart, async (given) => {
        const { png, width, height } = await drawChart(given)
        expect(png.length).toBeGreaterThan(100)
        expect(width).toBeLessThan(3000)
        expect(height).toBeLessThan(3000)
      }),
      { numRuns: 20, examples: (['bar', 'line'] as const).map((kind) => [{ kind, title: 'constructor', unit: 'count', labels: ['constructor', '__proto__'], series: [{ name: 'constructor', values: [1, 2] }, { name: '__proto__', values: [2] }] }]) },
    )
  })
})
