"""The world out: adapters that implement the ports over vendors' libraries, and translate their errors at the seam."""
