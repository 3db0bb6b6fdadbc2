using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Nacos;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>A call about configurations whose caller is known.</summary>
/// <param name="IsV2">True: answers come in an envelope, and the namespace is called <c>namespaceId</c>.</param>
internal sealed record NacosConfigCall(FormCall Form, Principal Caller, bool IsV2)
{
    public HttpContext Context => Form.Context;

    public string? Tenant => Form[IsV2 ? "namespaceId" : "tenant"];

    /// <summary>The setting that the call is about.</summary>
    public Outcome<Kernel.Resources.ResourceKey> Key() => NacosSettings.Key(Tenant, Form["group"], Form["dataId"]);

    public SettingCaller Reader() =>
        new(Caller, RequestAddress.Of(Context), NacosSettings.Reader(Context));

    public Task TrueAsync() => IsV2
        ? JsonAsync(json => json.WriteBooleanValue(true))
        : FormCall.AnswerAsync(Context, StatusCodes.Status200OK, NacosReply.JsonType, "true"u8.ToArray());

    /// <summary>A JSON document; in version 2 within the envelope.</summary>
    public Task JsonAsync(Action<Utf8JsonWriter> write)
    {
        if (IsV2)
            return FormCall.AnswerAsync(
                Context, StatusCodes.Status200OK, NacosReply.JsonType,
                NacosReply.Envelope(NacosReply.Success, "success", write));
        return FormCall.AnswerAsync(Context, StatusCodes.Status200OK, NacosReply.JsonType, NacosReply.Bare(write));
    }
}

/// <summary>
/// Finds out who calls, and tells repeated errors late: npm's client repeats a failed call at once, until its time is
/// up, unless it is told 404.
/// </summary>
internal sealed class NacosConfigCallers(
    Authenticator authenticator, Action<AuditEvent> audit, TimeProvider time, CancellationToken ending)
{
    private readonly RepeatedErrors errors = new(time);

    /// <summary>A handler that returns what went wrong, or null when it has answered.</summary>
    public RequestDelegate Handle(Func<NacosConfigCall, Task<Fault?>> handle, bool isV2) => async context =>
    {
        if (await AnswerAsync(context, handle, isV2) is not { } fault || context.RequestAborted.IsCancellationRequested)
            return;
        await FailAsync(context, fault, isV2);
    };

    private async Task<Fault?> AnswerAsync(
        HttpContext context, Func<NacosConfigCall, Task<Fault?>> handle, bool isV2)
    {
        try
        {
            var read = await FormCall.ReadAsync(context, NacosConfigLimits.MaxBodyBytes);
            if (!read.TryGet(out var form, out var fault)) return fault;
            var known = await authenticator.AuthenticateAsync(
                context, form["accessToken"], form["username"], form["password"]);
            if (!known.TryGet(out var caller, out fault))
            {
                audit(new AuditEvent(
                    Principal.Anonymous.Name, "refused", context.Request.Path, fault.Error.Code,
                    RequestAddress.Of(context), context.Request.Method));
                return fault;
            }
            context.Features.Set(caller);
            return await handle(new NacosConfigCall(form, caller, isV2));
        }
        catch (StorageException away) when (!context.Response.HasStarted)
        {
            return away.Fault;
        }
    }

    private async Task FailAsync(HttpContext context, Fault fault, bool isV2)
    {
        var status = NacosReply.Of(fault).Status;
        // Version 2 is spoken by programs that stop at an error.
        if (!isV2 && status != StatusCodes.Status404NotFound && errors.Note(context))
        {
            var delay = NacosConfigLimits.ErrorDelay + Random.Shared.NextDouble() * NacosConfigLimits.ErrorSpread;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, ending);
            await Task.Delay(delay, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (context.RequestAborted.IsCancellationRequested) return;
        }
        await (isV2
            ? FormCall.AnswerAsync(context, status, NacosReply.JsonType, NacosReply.Envelope(fault))
            : FormCall.AnswerAsync(
                context, status, NacosReply.TextType, Encoding.UTF8.GetBytes(NacosReply.TextOf(fault))));
    }
}
