using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>
/// Memory of the connections of a proxy, in blocks of 16 KiB where the server software's are of 4: a body takes a
/// quarter of the calls of the operating system. A connection that rests holds none.
/// </summary>
internal sealed class BlockPool : MemoryPool<byte>
{
    /// <summary>Bytes. Larger ones gain little, and fall out of a processor's nearest cache.</summary>
    public const int BlockBytes = 16 * 1024;

    /// <summary>Blocks that are kept for the next connection, 16 MiB; what comes back beyond is let go.</summary>
    public const int MaxKept = 1024;

    private readonly ConcurrentQueue<Block> kept = new();
    private int count; // Of those kept.

    public override int MaxBufferSize => BlockBytes;

    /// <inheritdoc/>
    /// <param name="minBufferSize">At most <see cref="BlockBytes"/>; a block is whole whatever is asked.</param>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        if (!kept.TryDequeue(out var block)) return new Block(this);
        Interlocked.Decrement(ref count);
        return block;
    }

    protected override void Dispose(bool disposing) => kept.Clear();

    private void Return(Block block)
    {
        if (Interlocked.Increment(ref count) <= MaxKept) kept.Enqueue(block);
        else Interlocked.Decrement(ref count);
    }

    /// <summary>Makes one for each listener.</summary>
    public sealed class Factory : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new BlockPool();
    }

    // Pinned: the operating system writes into it.
    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } =
            MemoryMarshal.CreateFromPinnedArray(
                GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true), 0, BlockBytes);

        public void Dispose() => pool.Return(this);
    }
}
