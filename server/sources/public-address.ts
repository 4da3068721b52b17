import { lookup } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { NuraError } from '#db/nura-error.ts'

/** What is not the internet: this machine, private networks, what clouds tell their machines, and ranges kept for special uses. */
const ranges: [network: string, prefix: number, family: 'ipv4' | 'ipv6'][] = [
  ['0.0.0.0', 8, 'ipv4'], ['10.0.0.0', 8, 'ipv4'], ['100.64.0.0', 10, 'ipv4'], ['127.0.0.0', 8, 'ipv4'], ['169.254.0.0', 16, 'ipv4'], ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'], ['192.0.2.0', 24, 'ipv4'], ['192.88.99.0', 24, 'ipv4'], ['192.168.0.0', 16, 'ipv4'], ['198.18.0.0', 15, 'ipv4'], ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'], ['224.0.0.0', 4, 'ipv4'], ['240.0.0.0', 4, 'ipv4'],
  ['::', 96, 'ipv6'], ['64:ff9b::', 96, 'ipv6'], ['64:ff9b:1::', 48, 'ipv6'], ['100::', 64, 'ipv6'], ['2001::', 23, 'ipv6'], ['2001:db8::', 32, 'ipv6'], ['2002::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'], ['fe80::', 10, 'ipv6'], ['fec0::', 10, 'ipv6'], ['ff00::', 8, 'ipv6'],
]
const inside = toBlockList()

function toBlockList(): BlockList {
  const list = new BlockList()
  for (const [network, prefix, family] of ranges) list.addSubnet(network, prefix, family)
  return list
}

/** Whether an IP address is one of the internet's. An IPv4 address written as IPv6 is what it stands for. */
export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const family = isIP(bare)
  if (family === 0) return false
  // `BlockList` holds `::ffff:a.b.c.d` against the ranges of IPv4 by itself.
  return !inside.check(bare, family === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Whether a host, as `URL` writes it, may stand for an address of the internet: not an address from inside, however it was
 * written, and no name that only a private network knows. What a name leads to is for `lookupPublic` to say.
 */
export function mayBePublic(hostname: string): boolean {
  const host = hostname.replace(/\.$/, '')
  if (/^\[|^[\d.]+$/.test(host)) return isPublicAddress(host)
  return host.includes('.') && !/(^|\.)(localhost|local|internal|home\.arpa)$/.test(host)
}

/**
 * A look-up of names that fails for a name which leads inside, whichever of its addresses does. The address that was judged is
 * the one that is connected to, so that a name cannot lead elsewhere a moment later.
 */
export const lookupPublic: LookupFunction = (host, options, done) => {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, [])
    const bad = addresses.find(({ address }) => !isPublicAddress(address))
    if (bad) return done(toInsideError(host), [])
    if (options.all) return done(null, addresses)
    const [first] = addresses
    done(null, first?.address ?? '', first?.family)
  })
}

export function toInsideError(host: string): NuraError {
  return new NuraError('source-inside', `${host} is an address within a private network, which Nura does not ask unless its operator allows it: NURA_SOURCE_HOSTS=${host}.`, { field: 'url' })
}
