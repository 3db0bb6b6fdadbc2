using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Nacos;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>
/// Beats: every instance sends one each five seconds, which is most of what a registry of Nacos is asked. The usual one
/// is found in the query where it lies, renews a lease and is answered with bytes that are there already; nothing is
/// written of it anywhere.
/// </summary>
internal sealed class NacosBeat(
    InstanceRegistry registry, RegistryAccess access, NacosCallers callers, NacosInstances instances)
{
    /// <summary>The answer to a beat that counts.</summary>
    private const int Taken = 10200;

    /// <summary>
    /// The answer to a beat that says too little to register the instance again; Java's client then does so itself.
    /// </summary>
    private const int Unknown = 20404;

    private static readonly ReadOnlyMemory<byte> Usual = Write(Taken, NacosLimits.BeatMilliseconds, isV2: false);
    private static readonly ReadOnlyMemory<byte> UsualV2 = Write(Taken, NacosLimits.BeatMilliseconds, isV2: true);

    public Task TakeAsync(HttpContext context) => TakeAsync(context, isV2: false);

    public Task TakeV2Async(HttpContext context) => TakeAsync(context, isV2: true);

    private async Task TakeAsync(HttpContext context, bool isV2)
    {
        try
        {
            // Java's client puts the beat into a form and the rest into the query.
            var read = await FormCall.ReadAsync(context, NacosLimits.MaxBodyBytes);
            if (!read.TryGet(out var form, out var fault)) await NacosCall.FailAsync(context, fault, isV2);
            else await TakeAsync(context, form, isV2);
        }
        catch (StorageException away) when (!context.Response.HasStarted)
        {
            await NacosCall.FailAsync(context, away.Fault, isV2);
        }
    }

    private async Task TakeAsync(HttpContext context, FormCall form, bool isV2)
    {
        var query = BeatQuery.Read(context.Request.QueryString.Value, form);
        var known = await callers.FindAsync(context, query.Token, query.Name, query.Password);
        if (!known.TryGet(out var caller, out var fault))
        {
            await NacosCall.FailAsync(context, fault, isV2);
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(NacosLimits.MaxBeatBytes);
        try
        {
            var length = query.Decode(form, buffer);
            var target = length < 0 ? BeatQuery.Malformed() : query.Target(buffer.AsSpan(0, length));
            fault = target.Fault
                ?? await TakeAsync(new NacosCall(form, caller, isV2), buffer.AsMemory(0, length), target.Value);
            if (fault is not null) await NacosCall.FailAsync(context, fault, isV2);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Renews, or registers again what a restart, a stall or another node has lost.</summary>
    /// <returns>Null when it is answered.</returns>
    private async ValueTask<Fault?> TakeAsync(NacosCall call, ReadOnlyMemory<byte> json, NacosTarget target)
    {
        var key = target.DerivedKey;
        var state = registry.FindInstance(key);
        if (state is null && target.Find(registry) is { } other) state = registry.FindInstance(other.Key);
        if (state is not null)
        {
            var place = RegistryAccess.Target(state.Key);
            if (!access.Allows(call.Caller, Verb.Renew, place)
                && access.Check(call.Context, Verb.Renew, place) is { } refused) return refused;
            if (registry.Renew(state.Key, incarnation: null) is null)
            {
                var interval = NacosWords.Milliseconds(state.Instance.Metadata, NacosWords.BeatInterval);
                await AnswerAsync(call, Taken, interval);
                return null;
            }
        }
        if (json.IsEmpty)
        {
            await AnswerAsync(call, Unknown, interval: null);
            return null;
        }
        if (!NacosRegistration.ReadBeat(json, target).TryGet(out var said, out var fault)) return fault;
        if (await instances.RegisterAsync(call, said, state?.Key.Id) is { } failed) return failed;
        await AnswerAsync(call, Taken, NacosWords.Milliseconds(said.Metadata, NacosWords.BeatInterval));
        return null;
    }

    private static Task AnswerAsync(NacosCall call, int code, long? interval)
    {
        var usual = call.IsV2 ? UsualV2 : Usual;
        var bytes = code == Taken && interval is null or NacosLimits.BeatMilliseconds
            ? usual
            : Write(code, interval ?? NacosLimits.BeatMilliseconds, call.IsV2);
        return FormCall.AnswerAsync(call.Context, StatusCodes.Status200OK, NacosReply.JsonType, bytes);
    }

    private static byte[] Write(int code, long interval, bool isV2)
    {
        void Members(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteNumber("clientBeatInterval", interval);
            json.WriteNumber("code", code);
            json.WriteBoolean("lightBeatEnabled", true);
            json.WriteEndObject();
        }
        if (isV2) return NacosReply.Envelope(NacosReply.Success, "success", Members);
        return Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"clientBeatInterval\":{interval},\"code\":{code},\"lightBeatEnabled\":true}}"));
    }
}
