using System.Net;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>Who follows what on this node, within bounds. Any thread.</summary>
internal sealed class NacosSubscriptions(TimeProvider time)
{
    private readonly Lock gate = new(); // Innermost lock.
    private readonly Dictionary<SubscriptionKey, NacosSubscription> all = [];
    private readonly Dictionary<ServiceKey, HashSet<NacosSubscription>> byService = [];
    private readonly Dictionary<IPAddress, int> byAddress = [];
    private readonly Dictionary<long, NacosSubscription> byPush = [];

    public int Count
    {
        get
        {
            lock (gate) return all.Count;
        }
    }

    /// <summary>Notes that a client has asked; false when there are too many already.</summary>
    /// <param name="isFirst">True for the first of its service.</param>
    public bool See(SubscriptionKey key, Func<NacosSubscription> make, out bool isFirst)
    {
        lock (gate)
        {
            isFirst = false;
            if (!all.TryGetValue(key, out var known))
            {
                var ofAddress = byAddress.GetValueOrDefault(key.Peer.Address);
                if (all.Count >= NacosLimits.MaxSubscriptions
                    || ofAddress >= NacosLimits.MaxSubscriptionsPerAddress) return false;
                known = all[key] = make();
                byAddress[key.Peer.Address] = ofAddress + 1;
                if (!byService.TryGetValue(key.Service, out var followers))
                {
                    followers = byService[key.Service] = [];
                    isFirst = true;
                }
                followers.Add(known);
            }
            known.SeenAt = time.GetTimestamp();
            return true;
        }
    }

    public IReadOnlyList<NacosSubscription> Of(ServiceKey service)
    {
        lock (gate) return byService.TryGetValue(service, out var followers) ? [.. followers] : [];
    }

    /// <summary>A push goes out, in place of the one before.</summary>
    public void Begin(NacosSubscription subscription, PendingPush push)
    {
        lock (gate)
        {
            if (!all.ContainsKey(subscription.Key)) return;
            if (subscription.Pending is { } before) byPush.Remove(before.Number);
            subscription.Pending = push;
            byPush[push.Number] = subscription;
            push.Attempts = 1;
            push.SentAt = time.GetTimestamp();
        }
    }

    /// <summary>The client has it; what comes from elsewhere does not count.</summary>
    public bool Acknowledge(long number, IPEndPoint from)
    {
        lock (gate)
        {
            if (!byPush.TryGetValue(number, out var subscription) || !subscription.Key.Peer.Equals(from)) return false;
            byPush.Remove(number);
            subscription.Pending = null;
            return true;
        }
    }

    /// <summary>The pushes that are to be sent again; those that were sent often enough are given up.</summary>
    public List<(NacosSubscription Subscription, PendingPush Push)> TakeDue()
    {
        var due = new List<(NacosSubscription, PendingPush)>();
        lock (gate)
        {
            foreach (var (number, subscription) in byPush.ToArray())
            {
                if (subscription.Pending is not { } push) continue;
                if (time.GetElapsedTime(push.SentAt) < NacosLimits.PushAgainAfter) continue;
                if (push.Attempts >= NacosLimits.MaxPushAttempts)
                {
                    byPush.Remove(number);
                    subscription.Pending = null;
                    continue;
                }
                push.Attempts++;
                push.SentAt = time.GetTimestamp();
                due.Add((subscription, push));
            }
        }
        return due;
    }

    /// <summary>Forgets who has not asked for long; returns the services that nobody follows any more.</summary>
    public List<ServiceKey> Expire()
    {
        var left = new List<ServiceKey>();
        lock (gate)
        {
            foreach (var subscription in all.Values.ToArray())
            {
                if (time.GetElapsedTime(subscription.SeenAt) < NacosLimits.SubscriptionLife) continue;
                all.Remove(subscription.Key);
                if (subscription.Pending is { } pending) byPush.Remove(pending.Number);
                if (--byAddress[subscription.Key.Peer.Address] == 0) byAddress.Remove(subscription.Key.Peer.Address);
                var followers = byService[subscription.Key.Service];
                followers.Remove(subscription);
                if (followers.Count > 0) continue;
                byService.Remove(subscription.Key.Service);
                left.Add(subscription.Key.Service);
            }
        }
        return left;
    }
}
