import { useEvery } from '@/parts/clock'
import { useLoad, type Load } from '@/parts/load'
import { loadTraffic, type Traffic } from './model'

/** What went through this node in the last seconds, asked again and again while somebody looks. */
export function useTraffic(): Load<Traffic> {
    const traffic = useLoad(loadTraffic)
    useEvery(2000, traffic.reload)
    return traffic
}
