import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NuraError } from '#db/nura-error.ts'

const run = promisify(execFile)
/** Width of a card in Teams, in CSS pixels: in a narrow pane, and in a channel. */
const widths = [340, 680]

/** A window is higher than what it shows of a page. */
const frameHeight = 90

/** Colours and sizes near those of Teams in its light theme; the renderer's own are for nobody's eyes. */
const hostConfig = {
  fontFamily: "'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif",
  fontSizes: { small: 12, default: 14, medium: 14, large: 18, extraLarge: 24 },
  spacing: { small: 8, default: 12, medium: 16, large: 20, extraLarge: 24, padding: 16 },
  separator: { lineThickness: 1, lineColor: '#E0E0E0' },
  containerStyles: {
    default: {
      backgroundColor: '#FFFFFF',
      foregroundColors: {
        default: { default: '#242424', subtle: '#616161' },
        accent: { default: '#5B5FC7', subtle: '#5B5FC7' },
        warning: { default: '#8A5A00', subtle: '#8A5A00' },
        attention: { default: '#C4314B', subtle: '#C4314B' },
        good: { default: '#237B4B', subtle: '#237B4B' },
      },
    },
  },
  actions: { maxActions: 6, buttonSpacing: 8, actionsOrientation: 'horizontal', actionAlignment: 'left' },
  table: { cellSpacing: 8 },
}

type Sent = { body: { attachments?: { content: unknown }[] } | null }

/**
 * Draws every card of the transcripts in `goldens` with the public renderer of Adaptive Cards in Chromium, and returns the
 * pictures' paths. The renderer knows no charts: what is drawn is what stands in for them.
 *
 * @throws NuraError `bad-argument` when Chromium cannot be run
 */
export async function pictureCards(options: { goldens: string; folder: string; chromium: string }): Promise<string[]> {
  await mkdir(options.folder, { recursive: true })
  const scratch = await mkdtemp(join(tmpdir(), 'nura-cards-'))
  try {
    const renderer = createRequire(import.meta.url).resolve('adaptivecards/dist/adaptivecards.js')
    const pictures: string[] = []
    for (const name of (await readdir(options.goldens)).filter((file) => file.endsWith('.json')).sort()) {
      const sent = JSON.parse(await readFile(join(options.goldens, name), 'utf8')) as Sent[]
      const cards = sent.flatMap(({ body }) => body?.attachments ?? []).map(({ content }) => content)
      for (const [index, card] of cards.entries()) {
        for (const width of widths) {
          const page = join(scratch, 'card.html')
          await writeFile(page, toPage(card, await readFile(renderer, 'utf8'), width))
          const picture = join(options.folder, `${name.replace(/\.json$/, '')}-${index + 1}-${width}.png`)
          await shoot(options.chromium, page, picture, width, scratch)
          pictures.push(picture)
        }
      }
    }
    return pictures
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Asks the page for its height first, for Chromium takes pictures of a window, not of a page. */
async function shoot(chromium: string, page: string, picture: string, width: number, scratch: string): Promise<void> {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', `--user-data-dir=${join(scratch, 'profile')}`]
  const call = async (...more: string[]) => (await run(chromium, [...flags, ...more, `file://${page}`], { maxBuffer: 64 * 1024 * 1024 })).stdout
  try {
    const height = /<html[^>]* data-height="(\d+)"/.exec(await call(`--window-size=${width},800`, '--dump-dom'))?.[1]
    if (!height) throw new Error('The card was not drawn.')
    await call(`--window-size=${width},${Number(height) + frameHeight}`, `--screenshot=${picture}`)
  } catch (error) {
    throw new NuraError('bad-argument', `Chromium could not draw ${picture}. Install it (apt-get install chromium), or name another one with --chromium.`, { cause: error })
  }
}

/** A page of its own that loads nothing. JSON inside a script must not end it. */
function toPage(card: unknown, renderer: string, width: number): string {
  const safe = (value: unknown) => JSON.stringify(value).replace(/</g, '\\u003c')
  return `<!doctype html><html><head><meta charset="utf-8"><style>
body { margin: 0; padding: 12px; box-sizing: border-box; width: ${width}px; background: #f5f5f5; font: 14px ${hostConfig.fontFamily} }
#card { background: #fff; border: 1px solid #e0e0e0; border-radius: 4px }
a { color: #5b5fc7; text-decoration: none }
table { border-collapse: collapse } td, th { border: 1px solid #e0e0e0; font-weight: normal }
button { font: inherit; font-weight: 600; padding: 5px 12px; background: #fff; border: 1px solid #d1d1d1; border-radius: 4px; color: #242424 }
</style></head><body><div id="card"></div><script>${renderer.replace(/<\/script/g, '<\\/script')}</script><script>
const card = new AdaptiveCards.AdaptiveCard()
card.hostConfig = new AdaptiveCards.HostConfig(${safe(hostConfig)})
card.parse(${safe(card)})
document.getElementById('card').append(card.render())
document.documentElement.dataset.height = Math.ceil(document.body.getBoundingClientRect().height)
</script></body></html>`
}
