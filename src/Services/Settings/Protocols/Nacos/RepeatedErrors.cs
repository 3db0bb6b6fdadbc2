using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>
/// Knows which calls have failed lately, by where they come from, who makes them, method and path: a client that is in
/// a loop makes the same one again. Thread-safe, and never larger: two calls that share a place are taken for one.
/// </summary>
internal sealed class RepeatedErrors(TimeProvider time)
{
    // 128 KiB; of a hundred clients that fail at once one or two share a place, and are told late at once.
    private const int Places = 16 * 1024;

    // Timestamps of the last failure plus one, so that 0 is none. Interlocked.
    private readonly long[] last = new long[Places];

    /// <summary>Notes that a call failed; true when it had done so lately.</summary>
    public bool Note(HttpContext context)
    {
        // Unknown callers are alike: one who is in a loop may try another credential each time.
        var caller = context.Features.Get<Principal>()?.Name;
        var place = (uint)HashCode.Combine(
            RequestAddress.Of(context), caller, context.Request.Method,
            context.Request.Path.Value?.ToUpperInvariant()) % Places;
        var now = time.GetTimestamp();
        var before = Interlocked.Exchange(ref last[place], now + 1) - 1;
        return before >= 0 && time.GetElapsedTime(before, now) < NacosConfigLimits.ErrorMemory;
    }
}
