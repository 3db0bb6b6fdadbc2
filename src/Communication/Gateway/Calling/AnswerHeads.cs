using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Calling;

/// <summary>Reads the head of an answer that is nobody's yet: interim ones are passed over.</summary>
internal static class AnswerHeads
{
    /// <summary>Interim answers: more are an attempt to keep us busy.</summary>
    private const int MaxInterim = 16;

    public static async ValueTask ReadAsync(InstanceConnection from, ResponseHead answer, KnownMethod method)
    {
        for (var interim = 0; interim <= MaxInterim; interim++)
        {
            answer.Clear();
            answer.Expect(method);
            await ReadOneAsync(from, answer);
            if (!answer.IsInterim) return;
        }
        throw new InvalidDataException("it sent interim answers without end");
    }

    private static async ValueTask ReadOneAsync(InstanceConnection from, ResponseHead answer)
    {
        while (true)
        {
            if (!from.Buffered.IsEmpty)
            {
                var taken = from.Buffered.Length;
                answer.Append(from.Buffered.Span);
                from.Consume(taken);
                var filled = answer.Fields.Filled;
                var progress = answer.Parse();
                if (progress == HeadProgress.Bad) throw new InvalidDataException(HeadFaults.Explain(answer.Fault));
                if (progress == HeadProgress.Complete)
                {
                    from.Unread(filled - answer.Length);
                    return;
                }
            }
            if (await from.FillAsync() == 0) throw new IOException("the connection ended before an answer began");
        }
    }
}
