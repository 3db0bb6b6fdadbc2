using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Groundwork.Communication.Gateway.Content.Compression;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire;
using Groundwork.Wire.Http1;
using Microsoft.AspNetCore.StaticFiles;

namespace Groundwork.Communication.Gateway.Content.Files;

/// <summary>Makes the step of routes that give files.</summary>
/// <param name="roots">Folders of this machine that routes may give files out of; none unless configured.</param>
internal sealed class FilesMaker(
    ImmutableArray<string> roots, OwnAnswers answers, GatewayCounters counters, TimeProvider time) : IStepMaker
{
    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies is RouteSpec { Files: { } spec })
            yield return new FilesStep(spec, roots, answers, counters, time);
    }
}

/// <summary>Answers with files of a folder: whole, a range, or that the client has it already.</summary>
internal sealed class FilesStep(
    FilesSpec spec, ImmutableArray<string> roots, OwnAnswers answers, GatewayCounters counters, TimeProvider time)
    : IRequestStep
{
    /// <summary>Bytes of a large file that are read and sent at once.</summary>
    private const int PieceBytes = 64 * 1024;

    private const string ForAYear = "public, max-age=31536000, immutable";

    /// <summary>How long a folder's links are believed: a new release is often one link that leads elsewhere.</summary>
    private static readonly TimeSpan LooksAgain = TimeSpan.FromSeconds(1);

    private static readonly FileExtensionContentTypeProvider Types = new();

    private readonly Regex? immutable = spec.Immutable is { } pattern ? FilesRules.TryCompile(pattern) : null;
    private Opened? folder; // Swapped whole.

    public Stage Stage => Stage.Answer;

    public async ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        if (exchange.Request.Method is not (KnownMethod.Get or KnownMethod.Head))
        {
            exchange.AnswerFields.Add(new("Allow", "GET, HEAD"));
            return StepResult.Refuse(new Fault(ErrorCodes.MethodNotAllowed, "Files can only be read."));
        }
        var codings = spec.Precompressed ? AcceptedCodings.All(exchange.Request.Fields) : Coding.None;
        var path = FileFolder.PathOf(exchange.Request.Path[(exchange.Route.StrippedPrefix?.Length ?? 0)..]);
        // A disk may take its time, and this thread may be the one that reads connections.
        var found = path is null ? default : await Task.Run(() => Find(path, codings));
        if (found.Fault is { } fault) return StepResult.Refuse(fault);
        if (found.IsFolder) return await RedirectAsync(exchange);
        if (found.File is not { } file)
            return StepResult.Refuse(new Fault(ErrorCodes.FileNotFound, "There is no such file."));
        using (file) await GiveAsync(exchange, file, found.Coding);
        return StepResult.Answered;
    }

    private Found Find(string path, Coding codings)
    {
        var opened = Volatile.Read(ref folder);
        if (opened is null || time.GetElapsedTime(opened.At) > LooksAgain)
        {
            if (FileFolder.TryOpen(spec.Folder, roots, out var reason) is not { } anew)
                return new Found
                {
                    Fault = new Fault(ErrorCodes.FilesUnavailable, $"No files can be given: {reason}."),
                };
            Volatile.Write(ref folder, opened = new Opened(anew, time.GetTimestamp()));
        }
        var open = opened.Folder;
        var isFolder = false;
        var name = path.Length == 0 || path.EndsWith('/') ? path + spec.Index : path;
        var found = name.EndsWith('/') || name.Length == 0 ? default : Open(open, name, codings, out isFolder);
        if (found.File is not null) return found;
        if (isFolder && spec.Index.Length > 0) return new Found { IsFolder = true };
        var last = path[(path.LastIndexOf('/') + 1)..];
        return spec.Fallback is { } fallback && !last.Contains('.', StringComparison.Ordinal)
            ? Open(open, fallback[1..], codings, out _) : default;
    }

    private static Found Open(FileFolder folder, string path, Coding codings, out bool isFolder)
    {
        isFolder = false;
        foreach (var (coding, suffix) in new[] { (Coding.Brotli, ".br"), (Coding.Gzip, ".gz") })
            if (codings.HasFlag(coding) && folder.TryOpen(path + suffix, out _) is { } packed)
                return new Found { File = packed with { Path = path }, Coding = coding };
        return new Found { File = folder.TryOpen(path, out isFolder) };
    }

    private async ValueTask<StepResult> RedirectAsync(Exchange exchange)
    {
        var (path, query) = (
            Encoding.ASCII.GetString(exchange.Request.Path), Encoding.Latin1.GetString(exchange.Request.Query));
        exchange.Head.Added.Add(new("Location", $"{path}/{query}"));
        await answers.GiveAsync(exchange, 308, default);
        return StepResult.Answered;
    }

    private async ValueTask GiveAsync(Exchange exchange, OpenedFile file, Coding coding)
    {
        var (client, fields) = (exchange.Client, exchange.Request.Fields);
        var modified = new DateTimeOffset(file.Written, TimeSpan.Zero);
        // Of another length or another time is another file; and so is another coding of it.
        var tag = string.Create(
            CultureInfo.InvariantCulture, $"\"{file.Written.Ticks:x}-{file.Length:x}{SuffixOf(coding)}\"");
        var tagBytes = Encoding.ASCII.GetBytes(tag);
        // Dates have whole seconds.
        var whole = modified.AddTicks(-(modified.Ticks % TimeSpan.TicksPerSecond));
        var head = exchange.Head;
        Describe(head, file, coding, tag, whole);
        var (from, count) = (0L, file.Length);
        if (Preconditions.HasIt(fields, tagBytes, whole)) (head.Status, count) = (304, 0);
        else if (fields.Has(KnownField.Range) && exchange.Request.Method == KnownMethod.Get
            && Preconditions.IsOfSame(fields, tagBytes, whole)) Cut(head, fields, file.Length, ref from, ref count);
        head.ContentLength = head.Status == 304 ? -1 : count;
        var sends = count > 0 && head.Status is 200 or 206 && exchange.Request.Method == KnownMethod.Get;
        head.Body = sends ? BodyKind.Length : BodyKind.None;
        Transform(exchange, head);
        answers.Stamp(exchange);
        counters.Answered(exchange.Route, head.Status);
        exchange.Note(Stage.Answer, "file");
        client.Begin(head);
        if (sends && !await SendAsync(client, file, from, count)) return;
        client.End(null);
        await client.FlushAsync();
    }

    private void Describe(AnswerHead head, OpenedFile file, Coding coding, string tag, DateTimeOffset modified)
    {
        head.Status = 200;
        var own = head.Own;
        own.Add(new("Content-Type", TypeOf(file.Path)));
        if (coding != Coding.None) own.Add(new("Content-Encoding", AcceptedCodings.NameOf(coding)));
        if (spec.Precompressed) own.Add(new("Vary", "Accept-Encoding"));
        own.Add(new("ETag", tag));
        own.Add(new("Last-Modified", HttpDates.Write(modified)));
        own.Add(new("Cache-Control", IsImmutable(file.Path) ? ForAYear : spec.CacheControl));
        own.Add(new("Accept-Ranges", "bytes"));
        own.Add(new("X-Content-Type-Options", "nosniff"));
    }

    private static void Cut(AnswerHead head, FieldTable fields, long length, ref long from, ref long count)
    {
        switch (ByteRange.Read(fields, length, out var begin, out var some))
        {
            case RangeWish.Part:
                (head.Status, from, count) = (206, begin, some);
                head.Own.Add(new("Content-Range", string.Create(
                    CultureInfo.InvariantCulture, $"bytes {begin}-{begin + some - 1}/{length}")));
                break;
            case RangeWish.None:
                (head.Status, count) = (416, 0);
                head.Own.RemoveAll(static field => field.Key is "Content-Type" or "Content-Encoding");
                head.Own.Add(new("Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes */{length}")));
                break;
            default:
                break;
        }
    }

    // What the route makes of answers holds for these too.
    private static void Transform(Exchange exchange, AnswerHead head)
    {
        if (exchange.Route.Transform?.Apply(exchange.View(), exchange.Parameters) is not { } transformed) return;
        head.Transformed = transformed;
        head.Own.RemoveAll(field => transformed.RemovesFromAnswer(Encoding.ASCII.GetBytes(field.Key)));
    }

    private static async ValueTask<bool> SendAsync(IClient client, OpenedFile file, long from, long left)
    {
        var isLarge = left > PieceBytes;
        // What is written has to be out before there is room to be filled.
        if (isLarge && !await client.FlushAsync()) return false;
        var piece = ArrayPool<byte>.Shared.Rent((int)Math.Min(PieceBytes, left));
        try
        {
            while (left > 0)
            {
                var room = isLarge ? client.Room(PieceBytes) : default;
                var into = room.IsEmpty ? piece : room;
                var read = await RandomAccess.ReadAsync(file.Handle, into[..(int)Math.Min(into.Length, left)], from);
                if (read == 0)
                {
                    client.Abort(); // It has become shorter: what was promised cannot be kept.
                    return false;
                }
                if (room.IsEmpty) client.Write(piece.AsSpan(0, read));
                else client.Advance(read);
                (from, left) = (from + read, left - read);
                if (left > 0 && !await client.FlushAsync()) return false;
            }
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private bool IsImmutable(string path) => immutable?.IsMatch(path.AsSpan(path.LastIndexOf('/') + 1)) == true;

    private static string TypeOf(string path)
    {
        if (!Types.TryGetContentType(path, out var type)) return "application/octet-stream";
        return type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8" : type;
    }

    private static string SuffixOf(Coding coding) => coding switch
    {
        Coding.Brotli => "-br",
        Coding.Gzip => "-gz",
        _ => "",
    };

    private sealed record Opened(FileFolder Folder, long At);

    private readonly record struct Found(OpenedFile? File, Coding Coding, bool IsFolder, Fault? Fault);
}
